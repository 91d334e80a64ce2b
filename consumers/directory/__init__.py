"""The directory's process: records of all departments into names to look for and texts to show."""
