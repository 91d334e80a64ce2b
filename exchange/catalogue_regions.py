"""Regions of the catalogue: the province, its cities and counties by GB/T 2260 code, each with its years."""

import re
from dataclasses import dataclass
from pathlib import Path

from exchange.rows import Problem, Row, read_rows

NO_YEAR = 9999
_COUNTY = re.compile(r"(\d\d) (\S+) (\d{4})?-(\d{4})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A division with the years in which its code meant it (0 and 9999 are open ends).

    Attributes:
        level: province, city or county.
        parent: code of the division above; empty for the province.
    """

    code: str
    name_zh: str
    name_en: str
    level: str
    parent: str
    from_year: int
    to_year: int


def read_regions(path: Path, problems: list[Problem]) -> dict[str, tuple[Region, ...]]:
    """Every region by code; a code that changed its meaning has several."""
    rows = read_rows(path, ("province", "city"), problems)
    found: dict[str, tuple[Region, ...]] = {}
    province = ""
    for row in rows["province"]:
        province = _read(row, "province", "", found)
        row.close()
    for row in rows["city"]:
        code = _read(row, "city", province, found)
        if code[:2] != province[:2]:
            row.report("bad_value", "code", code, f"lies in province {province}")
        for county in row.texts("counties"):
            _read_county(row, county, code, found)
        row.close()
    return found


def _read(row: Row, level: str, parent: str, found: dict[str, tuple[Region, ...]]) -> str:
    code = row.name = row.text("code", pattern=r"\d{4}00")
    region = Region(
        code=code,
        name_zh=row.text("name_zh"),
        name_en=row.text("name_en"),
        level=level,
        parent=parent,
        from_year=row.number("from_year", default=0),
        to_year=row.number("to_year", default=NO_YEAR),
    )
    _add(row, "code", region, found)
    return code


def _read_county(row: Row, text: str, city: str, found: dict[str, tuple[Region, ...]]) -> None:
    parts = _COUNTY.fullmatch(text)
    if not parts:
        row.report("bad_value", "counties", text, "is written: 06 天河区 1985-")
        return
    region = Region(
        code=city[:4] + parts[1],
        name_zh=parts[2],
        name_en="",
        level="county",
        parent=city,
        from_year=int(parts[3] or 0),
        to_year=int(parts[4] or NO_YEAR),
    )
    _add(row, "counties", region, found)


def _add(row: Row, name: str, region: Region, found: dict[str, tuple[Region, ...]]) -> None:
    if region.to_year < region.from_year:
        row.report("bad_dates", name, f"{region.code} {region.name_zh}", "its last year is not before its first")
    for other in found.get(region.code, ()):
        if region.from_year <= other.to_year and other.from_year <= region.to_year:
            row.report("overlapping", name, f"{region.code} {region.name_zh}", f"{other.name_zh} has the code then")
    found[region.code] = (*found.get(region.code, ()), region)
