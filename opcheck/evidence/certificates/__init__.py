"""Proofs for one choice of numbers, in rationals, and the search for potentials."""
