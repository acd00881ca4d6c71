"""Proofs for every k and all parameters."""
