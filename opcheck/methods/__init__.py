"""The iterations, one family a file; each reads like the pseudo-code it implements.

J is J_{γA}, the identity where A = 0. ``k`` is a number of the reading, so ``1/(k + 2)`` is exact
where the reading is.
"""
