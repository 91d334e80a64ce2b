"""⑤ The dispatcher: pushes each department's notices to its webhook."""
