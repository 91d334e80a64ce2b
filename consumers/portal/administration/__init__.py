"""The administrator's accounts and the auditor's access log."""
