"""Statistics 统计: the figures of the newest release of open data, for everybody; no subject is in them."""
