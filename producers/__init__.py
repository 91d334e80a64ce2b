"""How a department puts records on the bus."""
