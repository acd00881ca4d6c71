"""Built-in problems."""
