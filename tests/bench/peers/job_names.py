"""Names that a bench and the peers' processes share."""

PROGRESS = "bench:progress"
"""Redis key that counts the records a peer has finished."""
EVERYTHING = "bench.everything"
"""The records of all departments in one topic, with the name of the department's topic as header."""
