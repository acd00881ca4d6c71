"""Built-in paper_repro."""
