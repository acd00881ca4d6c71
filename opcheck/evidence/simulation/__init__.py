"""Runs against bounds: comparison at every k, verdicts, planted errors."""
