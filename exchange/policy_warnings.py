"""Early warnings in the policy files: domains with their watch lists, and the thresholds of signs about single subjects."""

from collections.abc import Collection, Mapping

from exchange.catalogue import Catalogue
from exchange.domain.bodies import WARNING_DOMAINS
from exchange.domain.policy import ListRule, SignalRule, WarningRule
from exchange.policy_lists import Placed, read_basis, report_overlaps
from exchange.rows import Row

SIGNALS = ("SHARED_ADDRESS", "SHARED_REPRESENTATIVE", "EXPIRED_LICENCE", "PENALTY_BURST", "INSOLVENCY")
"""Signs about single subjects."""


def read_warnings(rows: list[Row], lists: Mapping[str, ListRule], catalogue: Catalogue) -> tuple[WarningRule, ...]:
    """Every domain; each leads to a watch list, and each value of a series belongs to one."""
    found: dict[str, WarningRule] = {}
    taken: dict[str, set[str]] = {"departments": set(), "industries": set(), "lists": set()}
    for row in rows:
        domain = row.name = row.choice("domain", WARNING_DOMAINS)
        if domain in found:
            row.report("duplicate", "domain", domain, "each domain has one row")
        list_code = row.text("list")
        if list_code not in lists or lists[list_code].colour != "watch":
            row.report("unknown_list", "list", list_code, "is a watch list: a warning is never a punishment")
        start, end = row.validity()
        found[domain] = WarningRule(
            domain=domain,
            list_code=list_code,
            departments=_names(row, "departments", catalogue.departments, taken),
            industries=_names(row, "industries", "ABCDEFGHIJKLMNOPQRST", taken),
            lists=_names(row, "lists", lists, taken),
            basis=read_basis(row),
            effective_from=start,
            effective_to=end,
            confidence=row.confidence(),
        )
        row.close()
    if rows and "GENERAL" not in found:
        rows[0].report("missing", "domain", "GENERAL", "takes what no other domain names")
    return tuple(found.values())


def _names(row: Row, field: str, known: Collection[str], taken: dict[str, set[str]]) -> frozenset[str]:
    names = row.texts(field)
    for one in names:
        if one not in known:
            row.report("bad_value", field, one, "is known")
        if one in taken[field]:
            row.report("duplicate", field, one, "belongs to one domain")
        taken[field].add(one)
    return frozenset(names)


def read_signals(rows: list[Row]) -> tuple[SignalRule, ...]:
    """Every threshold; a signal has one on each day."""
    found: list[tuple[Row, SignalRule]] = []
    for row in rows:
        signal = row.name = row.choice("signal", SIGNALS)
        start, end = row.validity()
        rule = SignalRule(
            signal=signal,
            domain=row.choice("domain", WARNING_DOMAINS),
            name_zh=row.text("name_zh"),
            name_en=row.text("name_en"),
            within_days=row.number("within_days", default=0),
            levels=_levels(row),
            valid_days=row.number("valid_days", least=1),
            basis=read_basis(row),
            meaning=row.text("meaning"),
            effective_from=start,
            effective_to=end,
            confidence=row.confidence(),
        )
        row.close()
        found.append((row, rule))
    for signal in SIGNALS:
        report_overlaps([Placed(*one) for one in found if one[1].signal == signal], f"the threshold of {signal}")
    return tuple(rule for _, rule in found)


def _levels(row: Row) -> tuple[int, int, int, int]:
    """The smallest counts of blue, yellow, orange and red, rising; zeros only at the end."""
    names = ("blue", "yellow", "orange", "red")
    blue, yellow, orange, red = (row.number(name, default=0) for name in names)
    reached = [one for one in (blue, yellow, orange, red) if one]
    if not blue or reached != sorted(set(reached)) or reached != [blue, yellow, orange, red][: len(reached)]:
        row.report(
            "bad_value", "blue", (blue, yellow, orange, red), "is the least of thresholds that rise level by level"
        )
    return blue, yellow, orange, red
