"""The bus on Kubernetes: plain manifests in `base/`, made of `deploy.processes`, and a size for each scale beside them."""
