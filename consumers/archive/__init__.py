"""The archive: every accepted record, notice and standing change into Delta Lake tables, exactly once."""
