"""Checks 核查: may this be granted? At the counter, by program or by file; and what the officer then decided."""
