"""The inbox over HTTP: departments without a Kafka client pull their notices, and answer them."""
