"""Proved statements as developments of the Rocq prover (Coq)."""
