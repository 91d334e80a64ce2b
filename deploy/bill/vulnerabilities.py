"""`python -m deploy.bill.vulnerabilities`: known vulnerabilities of the locked packages, where a service that knows them is reachable."""

import json
import subprocess
import sys

from deploy.bill.parts import REQUIREMENTS

SECONDS = 300
_AWAY = (
    "ConnectionError",
    "Could not connect",
    "Failed to establish",
    "Max retries",
    "resolve",
    "timed out",
    "ServiceError",
    "HTTPError",
)


def main() -> int:
    """0 when none is known or nobody can be asked (which is said), 1 when there are some."""
    asked = subprocess.run(  # noqa: S603 # our own command line
        [
            sys.executable, "-m", "pip_audit", "--requirement", str(REQUIREMENTS), "--require-hashes", "--disable-pip",
            "--vulnerability-service", "osv", "--progress-spinner", "off", "--timeout", "5", "--format", "json",
        ],
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    try:
        found = json.loads(asked.stdout)["dependencies"]
    except (ValueError, KeyError):
        return _without_answer(asked.stderr)
    bad = [(one["name"], one["version"], what) for one in found for what in one.get("vulns", ())]
    for name, version, what in bad:
        fixed = ", ".join(what["fix_versions"]) or "no release yet"
        sys.stderr.write(f"error[vulnerable]: {name} {version} has {what['id']}, mended in {fixed}\n")
    sys.stdout.write(f"{len(found)} packages, {len(bad)} known vulnerabilities\n")
    return int(bool(bad))


def _without_answer(said: str) -> int:
    last = (said.strip().splitlines() or ["pip-audit said nothing"])[-1][:200]
    if any(sign in said for sign in _AWAY):
        sys.stdout.write(f"skipped: no vulnerability service reachable ({last})\n")
        return 0
    sys.stderr.write(f"error[audit_failed]: {last}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
