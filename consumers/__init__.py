"""What reads the bus."""
