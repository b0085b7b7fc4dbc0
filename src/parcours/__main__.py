"""`python -m parcours`."""

from parcours.cli.main import main

main()
