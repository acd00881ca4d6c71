"""Compiling, driving a kernel, recording, and the exact readings of the same text."""
