"""The largest measured/bound over a class: from above by a program, from below by search."""
