"""Open data: a folder a day of what the public may see, with figures in which no small count can be worked out (⑦ for programs)."""
