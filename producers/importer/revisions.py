"""Which revision of its document a row is, so that importing again changes nothing and a correction wins.

A column of revisions (修订号) decides; else, when asked for, a column with the time of the data (SJC of the 2016 layouts);
else every row is revision 1, and a correction needs one of the two. Rows of feedback are steps: the second of the import.
"""

import re
from datetime import UTC, datetime, time

from exchange.clock import CHINA
from exchange.tables import Cell
from producers.importer.cells import read_date, read_text, reject

_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


def read_revision(cell: Cell) -> int | None:
    """A revision number, from 1; None where there is none.

    >>> read_revision("3"), read_revision("")
    (3, None)
    """
    text = read_text(cell)
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) < 2**62:
        reject("bad_revision", text, "a revision is a whole number from 1")
    return int(text)


def read_timestamp(cell: Cell) -> int:
    """A time of the data as revision: seconds since 1970-01-01 UTC, read as China time; a bare day is its midnight.

    >>> read_timestamp("2017/03/05"), read_timestamp("2017-03-05 08:30:15"), read_timestamp("1488643200")
    (1488643200, 1488673815, 1488643200)
    """
    if isinstance(cell, datetime):
        moment = cell
    else:
        text = read_text(cell)
        if text.isdecimal() and len(text) in (10, 13):  # epoch seconds or milliseconds
            return int(text[:10])
        day = read_date(cell)
        if day is None:
            reject("missing_value", "", "the column that gives the revision has a time in every row")
        found = _TIME.search(text)
        try:
            clock = time(int(found[1]), int(found[2]), int(found[3] or 0)) if found else time()
        except ValueError:
            reject("bad_time", text, "no such time of day")
        moment = datetime.combine(day, clock)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=CHINA)).astimezone(UTC).timestamp())
