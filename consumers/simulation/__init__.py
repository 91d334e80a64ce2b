"""What another policy would change, over all present standings: read from Redis beside the running bus, in shares, a process each."""
