"""docs/policy.md: lists, measures, memoranda, publicity, departments and resources, from the data files."""

from collections.abc import Iterable, Sequence

from exchange.catalogue import Catalogue, load_catalogue
from exchange.catalogue_resources import UPDATE_CYCLES
from exchange.domain.calendar import to_date
from exchange.domain.policy import NO_REPAIR, OPEN, ListRule, MeasureRule, Policy, SignalRule, WarningRule
from exchange.domain.risk.model import RiskModel
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.risk_files import load_risk

INTRODUCTION = """\
# Policy and catalogue 政策与目录

Generated from `schemas/policy/` and `schemas/catalogue/` by `docs/generate.py`. Do not edit; `creditbus policy check` checks the
files, `creditbus policy list --list TAX` shows what follows from a list on a day.

修改前先检查副本 A changed copy is checked before it takes the place of the files, with or without its own catalogue and contracts:

```sh
cp -r schemas new-schemas                             # 修改副本 change the copy
creditbus policy check --schemas new-schemas          # 检查该副本 checks that copy, and says so
creditbus policy list --list TAX --schemas new-schemas
```

A copy of `schemas/policy` alone is checked by the catalogue that is shipped; what it would change for everybody says
`creditbus policy simulate` ([simulation.md](simulation.md)).

Days are inclusive at the beginning and exclusive at the end. Confidence: H read in an official text or well known, M from a
secondary source, L to be confirmed before production.
"""


def page() -> str:
    """The whole page."""
    catalogue = load_catalogue(SCHEMAS)
    policy = load_policy(SCHEMAS, catalogue)
    parts = [
        INTRODUCTION,
        f"Policy version of these files: `{policy.version}`.\n",
        _lists(policy),
        _terms(policy),
        _matters(policy),
        _measures(policy),
        _memoranda(policy),
        _publicity(policy),
        _disclosure(policy),
        _warnings(policy),
        _signals(policy),
        _risk(load_risk(SCHEMAS, catalogue)),
        _departments(catalogue),
        _resources(catalogue),
    ]
    return "\n".join(parts)


def _matters(policy: Policy) -> str:
    """What a service counter may ask about, as `creditbus check --matter` takes it."""
    rows = ((f"`{one.code}`", one.name_zh, one.name_en) for _, one in sorted(policy.matters.items()))
    return _table("Matters 事项: what `creditbus check --matter` takes", ("matter", "事项", "name"), rows)


def _risk(model: RiskModel) -> str:
    """Indicators, thresholds and rates of the risk classes."""
    indicators = _table(
        f"Risk classes 信用风险分类 `{model.version}`",
        ("indicator", "指标", "name", "group", "counts", "points", "cap", "months", "days", "basis", "sure"),
        (
            (
                f"`{one.code}`", one.name_zh, one.name_en, one.group, f"`{one.record}` {', '.join(sorted(one.states))}",
                f"{one.points / 100:g}", f"{one.cap / 100:g}", one.term_months or "while it holds",
                _days(one.effective_from, one.effective_to), one.basis, one.confidence,
            )
            for one in model.indicators
        ),
    )  # fmt: skip
    classes = [
        (
            one.letter,
            f"from {one.points / 100:g} points",
            _days(one.effective_from, one.effective_to),
            one.basis,
            one.confidence,
        )
        for one in model.thresholds
    ] + [
        (
            one.letter,
            f"inspect {one.share / 100:g} %",
            _days(one.effective_from, one.effective_to),
            one.basis,
            one.confidence,
        )
        for one in model.rates
    ]
    return (
        indicators
        + "\n"
        + _table("Classes and suggested inspection 分类与抽查比例", ("class", "", "days", "basis", "sure"), classes)
    )


def _table(heading: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"## {heading}\n", f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _days(start: int, end: int) -> str:
    return f"{to_date(start)} –" if end == OPEN else f"{to_date(start)} – {to_date(end)}"


def _warnings(policy: Policy) -> str:
    def row(one: WarningRule) -> tuple[str, ...]:
        addressed = {rule.department for rule in policy.rules_by_list.get(one.list_code, ())}
        of = sorted(one.departments) + sorted(one.industries) + sorted(one.lists)
        return (
            f"`{one.domain}`",
            f"`{one.list_code}`",
            ", ".join(sorted(addressed)),
            ", ".join(of),
            one.basis,
            one.confidence,
        )

    head = ("domain", "watch list", "addressed to", "series of departments, industries, lists", "basis", "sure")
    return _table("Domains of early warnings 预警领域", head, map(row, policy.warning_rules))


def _signals(policy: Policy) -> str:
    def row(one: SignalRule) -> tuple[str, ...]:
        levels = " / ".join(str(least or "—") for least in one.levels)
        within = f"{one.within_days} days" if one.within_days else "today"
        return (
            f"`{one.signal}`",
            one.name_zh,
            one.meaning,
            within,
            levels,
            _days(one.effective_from, one.effective_to),
            one.basis,
            one.confidence,
        )

    head = (
        "sign",
        "预警信号",
        "what is counted",
        "within",
        "blue / yellow / orange / red from",
        "in force",
        "basis",
        "sure",
    )
    return _table("Signs about single subjects 主体预警信号", head, map(row, policy.signal_rules))


def _lists(policy: Policy) -> str:
    def row(one: ListRule) -> tuple[str, ...]:
        serious = one.joint_requires_serious_from
        note = f"only serious entries since {to_date(serious)}" if serious is not None else ""
        removal = f"{one.removal_working_days} working days" if one.removal_working_days else ""
        authorities = ", ".join(sorted(one.authorities))
        return (f"`{one.list_code}`", one.name_zh, one.name_en, one.colour, authorities, removal, note, one.confidence)

    head = ("list", "名单", "name", "colour", "authority 认定", "removed within", "note", "sure")
    return _table("Lists 名单", head, map(row, policy.lists.values()))


def _terms(policy: Policy) -> str:
    rows = []
    for one in policy.lists.values():
        for term in one.terms:
            grounds = ", ".join(sorted(term.grounds)) or "any"
            months = f"{term.months} months" if term.months else "until cured or performed"
            days = _days(term.effective_from, term.effective_to)
            rows.append((f"`{one.list_code}`", "term 期限", grounds, months, days, term.basis, term.confidence))
        for repair in one.repairs:
            least = (
                "no repair"
                if repair.min_months == NO_REPAIR
                else f"after {repair.min_months} months"
                if repair.min_months
                else "when cured"
            )
            days = _days(repair.effective_from, repair.effective_to)
            rows.append((f"`{one.list_code}`", "repair 修复", "any", least, days, repair.basis, repair.confidence))
        for ground in one.grounds:
            days = _days(ground.effective_from, ground.effective_to)
            words = f"{ground.name_zh} {ground.name_en}"
            rows.append((f"`{one.list_code}`", "ground 事由", ground.code, words, days, ground.basis, ""))
    head = ("list", "what", "grounds", "", "decided", "basis 依据", "sure")
    return _table("Terms, repair and grounds 期限、修复、事由", head, rows)


def _measures(policy: Policy) -> str:
    """One row for all departments and targets of a measure that rest on the same basis in the same days."""
    same: dict[tuple[object, ...], list[MeasureRule]] = {}
    for rules in (*policy.rules_by_list.values(), policy.rules_elsewhere):
        for rule in rules:
            key = (rule.measure, rule.list_code, rule.basis, rule.memorandum, rule.effective_from, rule.effective_to)
            same.setdefault(key, []).append(rule)
    rows = []
    for found in sorted(same.values(), key=lambda of: (of[0].list_code, of[0].measure, of[0].effective_from)):
        one = found[0]
        rows.append((
            f"`{one.list_code}`", f"`{one.measure}` {one.name_zh}", one.name_en, one.category,
            ", ".join(sorted({rule.department for rule in found})),
            ", ".join(sorted({rule.role or rule.target for rule in found})).lower(),
            f"{one.effect}: {', '.join(sorted(one.matters))}",
            f"{one.respond_within_working_days}{' urgent' if one.urgent else ''}",
            "; ".join(filter(None, (one.basis, one.memorandum, one.article, one.region and f"only in {one.region}"))),
            _days(one.effective_from, one.effective_to), one.confidence,
        ))  # fmt: skip
    head = (
        "list", "措施", "measure", "cat.", "responds 响应", "target 对象", "check 核查", "within working days", "basis 依据",
        "in force", "sure",
    )  # fmt: skip
    return _table("Measures 措施", head, rows)


def _memoranda(policy: Policy) -> str:
    head = ("number 文号", "备忘录", "memorandum", "lists", "signatories", "measures", "in force", "sure")
    return _table(
        "Memoranda 合作备忘录",
        head,
        (
            (
                one.number, one.name_zh, one.name_en, ", ".join(sorted(one.lists)), one.signatories, one.measures or "",
                _days(one.effective_from, one.effective_to), one.confidence,
            )
            for one in policy.memoranda.values()
        ),
    )  # fmt: skip


def _publicity(policy: Policy) -> str:
    head = ("severity", "published 公示", "before repair", "at most", "decided", "basis 依据", "sure")
    return _table(
        "Publicity of penalties 处罚公示期",
        head,
        (
            (
                one.severity, "yes" if one.published else "not in principle", f"{one.min_months} months",
                f"{one.max_months} months", _days(one.effective_from, one.effective_to), one.basis, one.confidence,
            )
            for one in policy.publicity
        ),
    )  # fmt: skip


def _disclosure(policy: Policy) -> str:
    head = ("records", "public within 公示时限", "decided", "basis 依据", "sure")
    return _table(
        "Terms of disclosure 公示时限",
        head,
        (
            (
                ", ".join(sorted(one.record_types)), f"{one.within_working_days} working days",
                _days(one.effective_from, one.effective_to), one.basis, one.confidence,
            )
            for one in policy.disclosure
        ),
    )  # fmt: skip


def _departments(catalogue: Catalogue) -> str:
    rows = []
    for one in catalogue.departments.values():
        ended = "" if one.existed_to == OPEN else f"until {to_date(one.existed_to)}, then `{one.successor}`"
        renamed = f"since {to_date(one.renamed_on)}" if one.renamed_on else ""
        before = one.name_2016_zh if one.name_2016_zh != one.name_zh else ""
        grants = ", ".join(sorted(catalogue.grants(one.slug)))
        rows.append((f"`{one.slug}`", one.name_zh, one.name_en, before, renamed or ended, grants, one.confidence))
    head = ("department", "部门", "name", "2016", "succession 沿革", "may publish", "sure")
    return _table("Departments 部门", head, rows)


def _resources(catalogue: Catalogue) -> str:
    head = (
        "code",
        "record type",
        "资源",
        "resource",
        "class 类别",
        "sharing 共享",
        "opening 开放",
        "update 更新",
        "kept after its end",
    )
    return _table(
        "Resources 资源目录",
        head,
        (
            (
                one.code, f"`{one.record_type}`", one.name_zh, one.name_en, one.public_class,
                "; ".join(filter(None, (one.sharing, one.sharing_condition, one.sharing_basis))),
                "; ".join(filter(None, (one.opening, one.opening_condition))),
                " ".join(UPDATE_CYCLES[one.update_cycle]),
                f"{one.retention_months} months" if one.retention_months else "for good",
            )
            for one in catalogue.resources
        ),
    )  # fmt: skip
