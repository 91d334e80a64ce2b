"""The fault campaign: a seeded row of faults against three brokers, a Redis with replicas and all processes, under load."""
