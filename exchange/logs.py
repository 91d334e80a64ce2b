"""Log lines of every process: fields, not sentences; as text for people or as JSON lines for programs, by a setting.

A call names its fields in its template, `log.warning("held topic=%s run=%d", topic, run)`: what stands before them is the event, and
JSON has them under their names with their types. Whatever a line says, a person is not named in it: citizen IDs and persons'
pseudonyms are masked, also in what libraries log and in tracebacks.
"""

import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from exchange.masking import mask_ids
from exchange.settings import Settings

RESERVED = ("time", "level", "process", "logger", "event", "exception", "trace_id", "span_id")
"""Names that each line may have; a field of the same name is called `field_<name>`."""
MASKED_PERSON = "person:***"
_PERSON = re.compile(r"person:[0-9A-Za-z_]+\.[0-9A-Za-z]+")
_FIELD = re.compile(r"(\w+)=(\S*%\S+)")
_CONVERSION = re.compile(r"%[-#0 +]*\d*(?:\.\d+)?[a-zA-Z]")
_PLAIN = (int, float, bool, type(None))
Context = Callable[[], dict[str, str]]
"""Says `trace_id` and `span_id` of now, where there are any."""


def masked(text: str) -> str:
    """The text without citizen IDs and persons' pseudonyms.

    >>> masked("path=/subjects/person:k1.0123456789abcdef0123456789abcdef")
    'path=/subjects/person:***'
    """
    return _PERSON.sub(MASKED_PERSON, mask_ids(text))


class TextLines(logging.Formatter):
    """`time=... level=... logger=... event field=value ...`, for people."""

    def __init__(self) -> None:
        super().__init__("time=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback where there is one."""
        return masked(super().format(record))


class JsonLines(logging.Formatter):
    """One JSON object a line, for programs.

    Args:
        process: which of the bus's processes this is, such as `standing`.
        context: see `Context`.
    """

    def __init__(self, process: str, context: Context = dict) -> None:
        super().__init__()
        self._process = process
        self._context = context

    def format(self, record: logging.LogRecord) -> str:
        """One line, always."""
        event, fields = _read(record)
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "event": masked(event),
        } | self._context()  # fmt: skip
        for name, value in fields.items():
            known = f"field_{name}" if name in RESERVED else name
            line[known] = value if isinstance(value, _PLAIN) else masked(str(value))
        if record.exc_info:
            line["exception"] = masked(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def _read(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """Event and fields of a call; a template without fields is all event."""
    template, arguments = record.msg, record.args
    first = _FIELD.search(template) if isinstance(template, str) else None
    if first is None or not isinstance(arguments, tuple):
        return record.getMessage(), {}
    left = list(arguments)

    def take(pattern: str) -> Any:
        mine = [left.pop(0) for _ in _CONVERSION.findall(pattern)]
        return mine[0] if _CONVERSION.fullmatch(pattern) else pattern % tuple(mine)

    event = take(template[: first.start()]) if "%" in template[: first.start()] else template[: first.start()]
    return str(event).strip(), {name: take(pattern) for name, pattern in _FIELD.findall(template)}


def set_up_logs(settings: Settings, process: str, context: Context = dict) -> None:
    """Log to stderr from now on, as the settings say.

    Args:
        settings: of this process.
        process: its name.
        context: see `Context`.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(process, context) if settings.log_format == "json" else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
