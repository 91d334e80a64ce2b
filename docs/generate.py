"""Writes the pages of the documents, and the dashboards, that follow from the code and the data files.

python docs/generate.py            write them
python docs/generate.py --check    exit 1 and name those that differ from what is written
"""

import sys
from collections.abc import Callable
from pathlib import Path

from pages import access, contracts, metrics, policy, settings, sizing

from deploy.grafana.business import business
from deploy.grafana.department import department
from deploy.grafana.operations import operations

FOLDER = Path(__file__).parent
PAGES: dict[str, Callable[[], str]] = {
    "access.md": access.page,
    "contracts.md": contracts.page,
    "metrics.md": metrics.page,
    "policy.md": policy.page,
    "settings.md": settings.page,
    "../deploy/grafana/dashboards/operations.json": operations,
    "../deploy/grafana/dashboards/business.json": business,
    "../deploy/grafana/dashboards/department.json": department,
    "sizing.md": sizing.page,
}
"""Each generated file, seen from here, and the function that gives its text."""


def main(arguments: list[str]) -> int:
    """Write or check every page; the exit code."""
    drifted = []
    for name, text_of in PAGES.items():
        path, text = FOLDER / name, text_of()
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            drifted.append(name)
    for name in drifted:
        sys.stderr.write(f"error[docs_drift]: docs/{name} is not up to date - run: python docs/generate.py\n")
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
