"""The department's own register of who is restricted or preferred: the act that an obligation asks for.

It lies in the book's file, so that acting and noting it are one transaction. Where the register is another system, the act must
be one that can be repeated: give that system the obligation's key, and let it find what it did already, as `record` does here.
"""

import sqlite3
from datetime import date

from consumers.reference.book import Obligation


def record(database: sqlite3.Connection, obligation: Obligation, today: date) -> int:
    """Enter a subject, once for each obligation.

    Returns:
        The number of the entry, new or found.
    """
    found = database.execute(
        "SELECT number FROM register WHERE (subject, measure, since_epoch, since_n) = (?, ?, ?, ?) AND struck_on IS NULL",
        obligation.key,
    ).fetchone()
    if found is not None:
        return int(found[0])
    cursor = database.execute(
        "INSERT INTO register (subject, measure, since_epoch, since_n, recorded_on) VALUES (?, ?, ?, ?, ?)",
        (*obligation.key, today.isoformat()),
    )
    return int(cursor.lastrowid or 0)


def strike(database: sqlite3.Connection, obligation: Obligation, today: date) -> int | None:
    """Strike an entry out.

    Returns:
        Its number; None when there was none.
    """
    found = database.execute(
        "UPDATE register SET struck_on = ? WHERE (subject, measure, since_epoch, since_n) = (?, ?, ?, ?) AND struck_on IS NULL"
        " RETURNING number",
        (today.isoformat(), *obligation.key),
    ).fetchone()
    return None if found is None else int(found[0])
