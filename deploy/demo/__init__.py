"""The demonstration: the whole bus at work on one machine, looked at from outside."""
