"""The gateway: departments without a Kafka client of their own publish records over HTTP."""
