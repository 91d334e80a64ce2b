"""How the bus is run: the embedded stack and the command line."""
