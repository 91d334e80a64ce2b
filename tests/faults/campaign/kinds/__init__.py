"""Kinds of fault: each a small class that knows how to inject itself and how to heal."""
