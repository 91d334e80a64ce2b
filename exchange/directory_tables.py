"""The directory in PostgreSQL: its tables, and what is asked of them.

`pieces` has a number for each piece that a subject's names are cut into, and for its divisions and kind (`exchange.domain.naming`); an
index of them finds whoever has all pieces of a text, few of whom have them elsewhere than in a row: `spellings` tells. Texts that
are put in order are compared byte by byte, as everywhere else on the bus.
"""

from collections.abc import Iterable
from typing import Any
from zlib import crc32

from exchange.domain.naming import Wanted, area_of, chosen, cut, facets, wanted
from exchange.fed_file import Kept

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    source integer NOT NULL, "offset" bigint NOT NULL, raw bytea NOT NULL, PRIMARY KEY (source, "offset"));
CREATE TABLE IF NOT EXISTS registered (
    subject text, entry text, revision bigint, digest bigint, decided_on integer, name text, division text, kind smallint,
    status smallint, PRIMARY KEY (subject, entry, revision, digest));
CREATE TABLE IF NOT EXISTS amended (
    subject text, entry text, slot text, revision bigint, digest bigint, voids boolean,
    PRIMARY KEY (subject, entry, slot, revision, digest));
CREATE TABLE IF NOT EXISTS claims (alias text, subject text, decided_on integer, PRIMARY KEY (alias, subject));
CREATE INDEX IF NOT EXISTS claims_of ON claims (subject);
CREATE TABLE IF NOT EXISTS subjects (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, subject text NOT NULL UNIQUE, name text, division text, kind smallint,
    status smallint, names text, codes text, spellings text, pieces integer[]);
CREATE INDEX IF NOT EXISTS subjects_by_pieces ON subjects USING gin (pieces) WITH (gin_pending_list_limit = 1024);
CREATE TABLE IF NOT EXISTS codes (
    code text COLLATE "C", subject bigint, division text, kind smallint, PRIMARY KEY (code, subject));
CREATE TABLE IF NOT EXISTS filed (
    kind text, decided_on bigint, entry text COLLATE "C", subject text COLLATE "C", topic text, department text, division text,
    revision bigint, digest bigint, PRIMARY KEY (subject, entry));
CREATE INDEX IF NOT EXISTS filed_by_day ON filed (kind, decided_on, entry, subject);
CREATE INDEX IF NOT EXISTS filed_by_department ON filed (kind, department, decided_on, entry, subject);
CREATE INDEX IF NOT EXISTS filed_by_topic ON filed (kind, topic, decided_on, entry, subject);
"""
TABLES = Kept(name="directory", setting="CREDITBUS_DIRECTORY_URL", file="", format="1", schema=_SCHEMA)
MADE = "SELECT to_regclass('subjects') IS NOT NULL AND to_regclass('filed') IS NOT NULL"

_AMONG = "starts_with(division, %(area)s) AND (%(kind)s::integer IS NULL OR kind = %(kind)s)"
BEGINNING, PART = 1, 2
"""Ranks of names that begin with a text and of those that contain it; 0 is that of the text itself."""
_RANK = f"CASE WHEN spellings LIKE %(whole)s THEN 0 WHEN spellings LIKE %(beginning)s THEN {BEGINNING} ELSE {PART} END"
FIRST_FOUND = f"""
SELECT subject, name, division, kind, status, {_RANK} AS rank FROM (
    SELECT * FROM subjects ORDER BY id LIMIT (SELECT ceil(sqrt(coalesce(max(id), 0)::float8 * %(hits)s)) FROM subjects)) AS first
WHERE spellings LIKE %(part)s AND {_AMONG} ORDER BY rank, id LIMIT %(hits)s"""
"""The best among those who were indexed first.

So many of them are looked through that this takes about as long as to look all those up who have a text that is not found often
enough among them: with n subjects and h hits wanted, a text that a share f has takes h/f steps here and n*f steps there.
"""
FOUND = f"""
SELECT subject, name, division, kind, status FROM subjects
WHERE pieces @> %(pieces)s::integer[] AND spellings LIKE %(named)s AND {_AMONG} ORDER BY {_RANK}, id LIMIT %(hits)s"""
CODE_KNOWN = "SELECT 1 FROM codes WHERE code >= %(code)s AND code < %(after)s LIMIT 1"
BY_CODE = f"""
SELECT s.subject, s.name, s.division, s.kind, s.status FROM (
    SELECT code, subject FROM codes WHERE code >= %(code)s AND code < %(after)s AND {_AMONG}) AS c
JOIN subjects s ON s.id = c.subject
WHERE c.code = (SELECT min(own COLLATE "C") FROM unnest(string_to_array(s.codes, E'\\n')) AS own WHERE own COLLATE "C" >= %(code)s)
ORDER BY c.code, c.subject LIMIT %(hits)s OFFSET %(offset)s"""
DETAILS = """
SELECT wanted.department, wanted.partition, wanted.at, r.raw
FROM unnest(%s::text[], %s::integer[], %s::bigint[]) AS wanted (department, partition, at)
JOIN sources s ON s.department = wanted.department AND s.partition = wanted.partition
JOIN records r ON r.source = s.id AND r."offset" = wanted.at"""
COUNT_BY_DAY = (
    "SELECT decided_on, count(*) FROM filed WHERE kind = %s AND decided_on BETWEEN %s AND %s GROUP BY decided_on"
)
_RECENT = """
SELECT kind, decided_on, entry, subject, topic, department, division, revision, digest FROM filed
WHERE kind = %s AND (decided_on, entry, subject) < (%s, %s, %s) AND starts_with(division, %s)"""
_NEWEST = " ORDER BY decided_on DESC, entry DESC, subject DESC LIMIT %s"


def pieces_of(spellings: Iterable[str], division: str, kind: int) -> list[int]:
    """The numbers that a subject is indexed by."""
    return sorted(_numbers([*(piece for one in spellings for piece in cut(one)), *facets(division, kind)]))


def spelt(spellings: Iterable[str]) -> str:
    r"""Spellings as they are kept: each begins and ends with a line's end, which is in none of them.

    >>> spelt({"甲乙", "jy"})
    '\njy\n甲乙\n'
    """
    return "".join(f"\n{one}" for one in sorted(spellings)) + "\n"


class Sought:
    """What a search by name asks for; nothing in a normalised text is a pattern's own sign.

    Args:
        text: normalised.
        division: six digits, if they matter.
        kind: its number, if it matters.
        hits: that are wanted, the best first.
    """

    def __init__(self, text: str, division: str | None, kind: int | None, hits: int) -> None:
        self._pieces: Wanted = wanted(text)
        self._facets = chosen(division, kind)
        self.values: dict[str, Any] = {
            "whole": f"%\n{text}\n%", "beginning": f"%\n{text}%", "part": f"%{text}%",
            "area": area_of(division) if division else "", "kind": kind, "hits": hits,
        }  # fmt: skip

    def among(self, tier: str) -> dict[str, Any]:
        """Values for all who have one of `whole`, `beginning` and `part`, by the index."""
        pieces = _numbers([*getattr(self._pieces, tier), *self._facets])
        return self.values | {"pieces": list(pieces), "named": self.values[tier]}


def recent(
    kind: str, after: tuple[int, str, str], limit: int, topic: str, department: str, division: str
) -> tuple[str, list[Any]]:
    """The statement for `Directory.recent`, and its values."""
    sql, values = _RECENT, [kind, *after, area_of(division) if division else ""]
    for name, value in (("topic", topic), ("department", department)):
        if value:
            sql += f" AND {name} = %s"
            values.append(value)
    return sql + _NEWEST, [*values, limit]


def _numbers(pieces: Iterable[str]) -> set[int]:
    """A signed number of 32 bits for each piece; two pieces that share one cost a look at a name more, and no more."""
    return {crc32(piece.encode()) - (1 << 31) for piece in pieces}
