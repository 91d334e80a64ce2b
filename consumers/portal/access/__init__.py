"""Who visits the portal, and what he may: sessions, tokens, keys, forgery, limits, the log of reads."""
