"""One-stop query 一站式查询: search, the credit picture of a subject, its printable report."""
