"""Delta Lake's own Java reader, the one that shares nothing with the Rust library that writes the archive."""
