"""The demonstration on a terminal: one screen, drawn anew a few times a second."""

import time
from collections import Counter

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.demo.seen import ChangeLine, NoticeLine, Seen

WIDE = 110
"""Columns from which there is room for both languages."""


def draw(seen: Seen, width: int, height: int) -> Layout:
    """The whole screen for a terminal of so many columns and lines."""
    with seen.lock:
        records, bad, rejected = Counter(seen.records), Counter(seen.bad_rows), Counter(seen.rejected)
        notices = list(seen.notice_lines)
        changes = list(seen.change_lines)
    body = max(4, height - 7)
    screen = Layout()
    screen.split_column(Layout(name="top", size=5), Layout(name="body"))
    screen["top"].update(_totals(seen, wide=width >= WIDE))
    screen["body"].split_row(Layout(name="left", ratio=2), Layout(name="right", ratio=3))
    screen["left"].split_column(
        Layout(_published(records, bad, rejected, body // 2), name="published"),
        Layout(_changes(changes, body // 2), name="standings"),
    )
    screen["right"].update(_notices(seen, notices, body))
    return screen


def _totals(seen: Seen, *, wide: bool) -> RenderableType:
    p50, p99 = seen.percentile(0.5), seen.percentile(0.99)
    latency = "" if p50 is None or p99 is None else f"publish → notice 报送到通知 p50 {p50:g} ms  p99 {p99:g} ms"
    facts = (
        (seen.total(), "cyan", "records", "条"),
        (sum(seen.bad_rows.values()), "yellow", "bad rows", "坏行"),
        (sum(seen.rejected.values()), "red", "rejected", "退回"),
        (len(seen.changed), "magenta", "standings changed", "主体变动"),
        (sum(seen.notices.values()), "green", "notices", "通知"),
        (seen.delivered, "blue", "delivered", "送达"),
        (sum(seen.feedback.values()), "blue", "fed back", "反馈"),
        (len(seen.warned), "yellow", "warned about", "预警"),
    )
    line = Text()
    for count, colour, english, chinese in facts:
        line.append(f"{count:,}", f"bold {colour}")
        line.append(f" {english} {chinese}   " if wide else f" {chinese}  ")
    portal = Text(f"portal 信用门户 {seen.portal}" if seen.portal else "", style="bold")
    return Panel(
        Group(line, Text(latency, style="dim"), portal), title=f"creditbus  {seen.doing}", subtitle=_elapsed(seen)
    )


def _elapsed(seen: Seen) -> str:
    return f"{time.monotonic() - seen.started:.0f} s   Ctrl-C ends"


def _published(
    records: Counter[tuple[str, str]], bad: Counter[tuple[str, str]], rejected: Counter[str], height: int
) -> RenderableType:
    """Records by department and type, bad rows beside them; what the bus itself rejected, by department."""
    table = Table(box=None, expand=True, pad_edge=False)
    for title in ("department 部门", "type 类型"):
        table.add_column(title, no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("条", justify="right", style="cyan", width=6)
    table.add_column("坏行", justify="right", style="yellow", width=4)
    rows = sorted({*records, *bad}, key=lambda pair: (-records[pair], pair))
    for pair in rows[: max(1, height - 4 - min(2, len(rejected)))]:
        table.add_row(pair[0], pair[1], f"{records[pair]:,}", f"{bad[pair]:,}" if bad[pair] else "")
    for department, count in rejected.most_common(2):
        table.add_row(department, "rejected by the bus 退回", f"{count:,}", "", style="red")
    return Panel(table, title="① departments publish 部门报送")


def _changes(changes: list[ChangeLine], height: int) -> RenderableType:
    table = Table(box=None, expand=True, pad_edge=False)
    for title in ("subject 主体", "lists 名单"):
        table.add_column(title, no_wrap=True, overflow="ellipsis")
    table.add_column("measures 措施", justify="right", no_wrap=True)
    for change in changes[::-1][: max(1, height - 4)]:
        moved = f"[red]+{change.more}[/]" if change.more else ""
        moved += f" [green]-{change.fewer}[/]" if change.fewer else ""
        table.add_row(change.subject, " ".join(change.lists) or "—", f"{moved} = {change.measures}")
    return Panel(table, title="③ standings change 信用状况变动", border_style="magenta")


def _notices(seen: Seen, notices: list[NoticeLine], height: int) -> RenderableType:
    lines: list[RenderableType] = []
    for notice in reversed(notices):
        took = f" {notice.milliseconds:.0f} ms" if notice.milliseconds is not None else ""
        more = f" +{len(notice.changes) - 1}" if len(notice.changes) > 1 else ""
        head = Text.assemble(
            (seen.words.department(notice.department), "bold green"), " ← ", (notice.name or notice.subject, "bold"),
            f"  {notice.in_force} in force", (took, "dim"),
        )  # fmt: skip
        change = Text(f"   {notice.changes[0]}{more}", style=_colour(notice.changes[0]))
        why = Text("   " + "; ".join(notice.because), style="dim")
        lines += [_one_line(head), _one_line(change), _one_line(why)]
        if len(lines) + 3 > height - 2:
            break
    return Panel(Group(*lines), title="④ notices: to whom, and why 通知：谁、为何", border_style="green")


def _one_line(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _colour(change: str) -> str:
    return "green" if change.startswith("LIFTED") else "red" if change.startswith("IMPOSED") else "yellow"
