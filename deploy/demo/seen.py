"""What the demonstration has seen go by: counts and the latest lines, taken from the topics as anybody may read them."""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any, NamedTuple

from exchange.domain.policy import MeasureRule, Policy

LINES = 40
"""Lines kept of each kind, for the screen."""
LATENCIES = 200_000


class NoticeLine(NamedTuple):
    """One notice as people read it; `changes` and `because` have at least one line each."""

    department: str
    subject: str
    name: str
    changes: tuple[str, ...]
    because: tuple[str, ...]
    in_force: int
    milliseconds: float | None


class ChangeLine(NamedTuple):
    """One change of a standing: measures in force now, how many came and went, and the lists it is on."""

    subject: str
    lists: tuple[str, ...]
    measures: int
    more: int
    fewer: int


class Words:
    """What codes are called.

    Args:
        policy: names of lists and measures.
        departments: slug to name.
    """

    def __init__(self, policy: Policy, departments: dict[str, str]) -> None:
        self._lists = {code: one.name_zh for code, one in policy.lists.items()}
        self._measures: dict[str, MeasureRule] = {
            rule.measure: rule for rules in policy.rules_by_list.values() for rule in rules
        }
        self._memoranda = {code: one.number or one.name_zh for code, one in policy.memoranda.items()}
        self._departments = departments

    def department(self, slug: str) -> str:
        """A department, slug first."""
        return f"{slug} {self._departments.get(slug, '')}".strip()

    def list(self, code: str) -> str:
        """A list, code first."""
        return f"{code} {self._lists.get(code, '')}".strip()

    def measure(self, code: str) -> str:
        """A measure, in Chinese where it is known."""
        rule = self._measures.get(code)
        return f"{code} {rule.name_zh}" if rule else code

    def memorandum(self, code: str) -> str:
        """How a memorandum is cited."""
        return self._memoranda.get(code, code)


class Seen:
    """Everything seen so far; several threads add, the screen reads."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.lock = threading.Lock()
        self.records: Counter[tuple[str, str]] = Counter()
        self.bad_rows: Counter[tuple[str, str]] = Counter()
        self.row_reasons: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.notices: Counter[str] = Counter()
        self.feedback: Counter[str] = Counter()
        self.delivered = 0
        self.warned: set[str] = set()
        self.actions: Counter[str] = Counter()
        self.changed: set[str] = set()
        self.latencies: deque[float] = deque(maxlen=LATENCIES)
        self.notice_lines: deque[NoticeLine] = deque(maxlen=LINES)
        self.change_lines: deque[ChangeLine] = deque(maxlen=LINES)
        self._measures: dict[str, frozenset[str]] = {}
        self.doing = ""
        self.portal = ""
        self.started = time.monotonic()

    def take(self, kind: str, department: str, value: dict[str, Any], at: float) -> None:
        """Take in one message.

        Args:
            kind: `in`, `out`, `rejected` or `standing`, as topics are named; for `in` with `record_type` added.
            department: of the topic; empty for `standing`.
            value: the decoded record.
            at: when it could be read, seconds since 1970-01-01 UTC.
        """
        with self.lock:
            match kind:
                case "in":
                    self.records[department, value["record_type"]] += 1
                    if value["record_type"] == "measure_feedback":
                        self.feedback[value["state"]] += 1
                    elif value["record_type"] == "delivery_receipt":
                        self.delivered += 1
                    elif value["record_type"] == "early_warning":
                        self.warned.add(value["subject"])
                case "rejected":
                    self.rejected[department] += 1
                    self.reasons.update(reason["code"] for reason in value["reasons"])
                case "out":
                    self._notice(value, at)
                case "standing":
                    self._standing(value)

    def bad_row(self, department: str, record_type: str, codes: Iterable[str]) -> None:
        """A row of a file was refused before anything was sent."""
        with self.lock:
            self.bad_rows[department, record_type] += 1
            self.row_reasons.update(codes)

    def percentile(self, share: float) -> float | None:
        """Milliseconds from publication to a readable notice; None when no notice was caused by a record yet."""
        with self.lock:
            ordered = sorted(self.latencies)
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else None

    def _notice(self, notice: dict[str, Any], at: float) -> None:
        self.notices[notice["department"]] += 1
        self.actions.update(change["action"] for change in notice["changes"])
        milliseconds = None
        if notice["cause"]["document"]:
            milliseconds = max(0.0, (at - notice["published_at"].timestamp()) * 1000)
            self.latencies.append(milliseconds)
        words = self.words
        because = {
            f"{words.list(one['list_code'])} ← {one['department']} {one['document']}"
            + (f" ({words.memorandum(one['memorandum'])})" if one["memorandum"] else "")
            for measure in notice["measures"]
            for one in measure["listings"]
        }
        if not because:
            because = {f"no listing is left 名单已全部移出: {notice['cause']['type']} {notice['cause']['document']}"}
        changes = tuple(f"{change['action']} {words.measure(change['measure'])}" for change in notice["changes"])
        if not changes:
            changes = self._overdue(notice["overdue"])
        self.notice_lines.append(
            NoticeLine(
                notice["department"], notice["subject"], notice["subject_name"], changes, tuple(sorted(because)),
                len(notice["measures"]), milliseconds,
            )
        )  # fmt: skip

    def _overdue(self, overdue: list[dict[str, Any]]) -> tuple[str, ...]:
        """What a notice says in which no measure changes: whose responses are overdue, or that none is any more."""
        words = self.words
        owed = (f"OVERDUE {words.department(one['department'])}: {words.measure(one['measure'])}" for one in overdue)
        return tuple(owed) or ("ANSWERED nothing is overdue any more 逾期事项已了结",)

    def _standing(self, change: dict[str, Any]) -> None:
        subject, now = change["subject"], frozenset(change["measures"])
        before = self._measures.get(subject, frozenset())
        self._measures[subject] = now
        self.changed.add(subject)
        lists = tuple(dict.fromkeys(listing.partition(" ")[0] for listing in change["listings"]))
        self.change_lines.append(ChangeLine(subject, lists, len(now), len(now - before), len(before - now)))

    def total(self) -> int:
        """Records seen in all departments' topics."""
        return sum(self.records.values())
