"""What all dashboards are made of: panels of a few kinds, each with Chinese and English title and its queries."""

import itertools
import json
from typing import NamedTuple

from grafana_foundation_sdk.builders.common import VizLegendOptions
from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, QueryVariable, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DashboardLinkType, DataSourceRef, VariableRefresh, VariableSort

SOURCE = DataSourceRef(type_val="prometheus", uid="creditbus")
WIDTH, HEIGHT, STAT_WIDTH, STAT_HEIGHT = 8, 8, 4, 4
"""Of 24 columns: three curves in a row, or six figures."""


class Query(NamedTuple):
    """A question to Prometheus, and what its series are called (`{{label}}`)."""

    expression: str
    legend: str = ""


class Curve(NamedTuple):
    """A panel over time. unit: one of Grafana's: `s`, `short`, `percentunit`, `reqps`, `bytes`."""

    title: str
    unit: str
    queries: tuple[Query, ...]


class Figure(NamedTuple):
    """A panel with one number of now."""

    title: str
    unit: str
    query: Query


class Section(NamedTuple):
    """A row of panels."""

    title: str
    panels: tuple[Curve | Figure, ...]


def dashboard(uid: str, title: str, description: str, sections: tuple[Section, ...], variable: str = "") -> str:
    """A dashboard as Grafana's JSON.

    Args:
        uid: its name in addresses.
        title: Chinese and English.
        description: what it answers.
        sections: from top to bottom.
        variable: query whose values one chooses `$department` from; empty for none.
    """
    board = (
        Dashboard(title).uid(uid).description(description).tags(["creditbus"]).refresh("30s").time("now-6h", "now")
        .timezone("Asia/Shanghai").readonly()
        .link(DashboardLink("creditbus").type(DashboardLinkType.DASHBOARDS).tags(["creditbus"]).keep_time(keep_time=True))
    )  # fmt: skip
    if variable:
        board.with_variable(
            QueryVariable("department").label("部门 department").datasource(SOURCE).query(variable)
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)
        )  # fmt: skip
    numbers = itertools.count(1)
    for section in sections:
        board.with_row(Row(section.title).id(next(numbers)))
        for panel in section.panels:
            built = _figure(panel) if isinstance(panel, Figure) else _curve(panel)
            board.with_panel(built.id(next(numbers)))
    return (
        json.dumps(json.loads(JSONEncoder(sort_keys=True).encode(board.build())), ensure_ascii=False, indent=1) + "\n"
    )


def _curve(panel: Curve) -> Timeseries:
    legend = VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    built = (
        Timeseries().title(panel.title).unit(panel.unit).datasource(SOURCE).span(WIDTH).height(HEIGHT).min(0)
        .fill_opacity(10).legend(legend.show_legend(show_legend=True))
    )  # fmt: skip
    for number, query in enumerate(panel.queries):
        built.with_target(_query(query, chr(ord("A") + number)))
    return built


def _figure(panel: Figure) -> Stat:
    built = Stat().title(panel.title).unit(panel.unit).datasource(SOURCE).span(STAT_WIDTH).height(STAT_HEIGHT)
    return built.with_target(_query(panel.query, "A").instant())


def _query(query: Query, name: str) -> Dataquery:
    return Dataquery().expr(query.expression).legend_format(query.legend).ref_id(name).datasource(SOURCE)
