"""Working days (工作日) of the State Council's holiday notices, with make-up days; read from `chinesecalendar`.

The package is extended every November. Beyond its years answers are provisional: Monday to Friday.
"""

from chinese_calendar import constants

from exchange.domain.calendar import WorkingDays, to_day


def load_working_days() -> WorkingDays:
    """The working days of every year that the installed `chinesecalendar` knows."""
    years = [day.year for day in constants.holidays]
    return WorkingDays(
        holidays=frozenset(map(to_day, constants.holidays)),
        workdays=frozenset(map(to_day, constants.workdays)),
        first_year=min(years),
        last_year=max(years),
    )
