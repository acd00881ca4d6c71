"""The verbs: confront statements with problems, adjudicate close calls, plant errors."""
