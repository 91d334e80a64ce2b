"""Simulator: a seeded synthetic province whose departments publish like real ones; nobody in it exists."""
