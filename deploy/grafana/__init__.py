"""Grafana's dashboards as code: made into `dashboards/*.json` by `docs/generate.py`. Nothing of the running bus imports this."""
