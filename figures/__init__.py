"""Built-in figures."""
