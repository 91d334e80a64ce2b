"""The operator page: health of the bus from the processes' own metrics, live, and the few safe operations."""
