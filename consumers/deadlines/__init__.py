"""Deadlines: licences and penalties by their term of disclosure, and how well departments publish (⑤ beside the standings)."""
