"""Department workspace 部门工作台: inbox, own submissions, uploads, quality, endpoints and keys, deliveries; one department's alone."""
