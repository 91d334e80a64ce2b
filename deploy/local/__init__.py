"""The embedded stack behind `creditbus up`: the real servers, from packages alone."""
