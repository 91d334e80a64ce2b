"""Where the contracts and the policy lie: in the repository and in an installed package alike."""

from pathlib import Path

SCHEMAS = Path(__file__).parent.parent / "schemas"
"""Folder of records, registry, examples, policy and catalogue."""
