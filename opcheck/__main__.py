"""``python -m opcheck``: the command line."""

from opcheck.cli import main

main()
