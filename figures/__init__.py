"""Built-in figure kinds: how runs and reports are drawn."""
