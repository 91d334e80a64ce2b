"""`python -m deploy.cli` is `creditbus`."""

from deploy.cli.main import main

main()
