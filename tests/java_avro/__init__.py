"""Apache Avro's own Java library, the reference that every other one follows; it shares nothing with the codec."""
