"""⑦ The portal: one-stop query, checks at the counter, departments' workspace, public disclosure, the operator's page."""
