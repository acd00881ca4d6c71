"""Whatever a user has, as a problem; its solutions and constants, searched for and proved."""
