"""⑦ The ledger: a hash-chained, signed record of everything that happened on the bus, and its proofs."""
