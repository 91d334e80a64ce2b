"""What an import says about the rows that are wrong or doubtful: line, column, value, rule."""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Verdict = Literal["bad", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found in one cell.

    Attributes:
        line: in the file, from 1.
        column: field code of the column, or "".
        title: what the file calls it.
        value: of the cell, cut to 200 characters; personal identifiers are masked.
        code: stable name of the rule.
        rule: the rule in words.
        verdict: a `bad` row is not sent; a `warning` row is.
    """

    line: int
    column: str
    title: str
    value: str
    code: str
    rule: str
    verdict: Verdict = "bad"


FIELDS = ("line", "column", "title", "value", "code", "rule", "verdict")


def write_report(path: Path, findings: Iterable[Finding]) -> None:
    """Write findings as CSV (UTF-8 with BOM, which spreadsheets open as it is), a line each."""
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(FIELDS)
        writer.writerows([_safe(getattr(finding, name)) for name in FIELDS] for finding in findings)


def _safe(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def count_rules(findings: Iterable[Finding]) -> Counter[tuple[Verdict, str]]:
    """How often each rule was broken, by verdict and code."""
    return Counter((finding.verdict, finding.code) for finding in findings)
