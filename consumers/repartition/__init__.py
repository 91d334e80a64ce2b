"""Another number of partitions: a bus's topics copied to those of a new bus, which then begins where the old one ended."""
