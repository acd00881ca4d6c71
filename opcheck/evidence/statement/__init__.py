"""What a statement says: its hypotheses, ranges and values, read in any arithmetic."""
