"""Notices by file: a department's notices of a day as CSV or XLSX, to be filled in and sent back as feedback."""
