"""The printable credit report 信用报告: what it says, its seal, its PDF, and the check of one that somebody shows."""
