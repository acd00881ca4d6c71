"""Potential arguments that are found: an ansatz, programs at numbers, functions, and ``prove``."""
