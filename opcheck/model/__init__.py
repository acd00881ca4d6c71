"""The nouns: operator, resolvent, problem, property, fact, method, measure, theorem, verdict."""
