"""Feeding: the one loop of processes that keep what they read in a folder, with where to go on: directory, deadlines, archive."""
