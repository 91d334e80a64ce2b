"""The shared words and rules of the bus; starts no process."""
