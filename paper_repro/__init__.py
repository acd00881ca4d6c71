"""Papers redrawn here: a folder each, which holds the manifest."""
