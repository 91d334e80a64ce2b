"""Why a server did not start, read from what it left in its log, with what to do about it."""

from pathlib import Path

from exchange.errors import FatalError, RequestError

READ_BYTES = 64 * 2**10

_KNOWN = (
    (
        ("Address already in use", "BindException"),
        "port_taken",
        "its port was taken by another program",
        "run `creditbus up` again, or set CREDITBUS_KAFKA_PORT and CREDITBUS_REDIS_PORT to free ports",
    ),
    (
        ("No space left on device",),
        "disk_full",
        "the disk is full",
        "free space there, or set CREDITBUS_HOME to another disk",
    ),
    (
        ("OutOfMemoryError", "Could not reserve enough space", "Cannot allocate memory", "insufficient memory"),
        "out_of_memory",
        "there is not enough memory",
        "end other programs, or set CREDITBUS_KAFKA_JAVA_OPTIONS to a smaller -Xmx",
    ),
    (
        (
            "Unrecognized VM option",
            "Invalid maximum heap size",
            "Unrecognized option",
            "Could not create the Java Virtual",
        ),
        "bad_java_options",
        "Java refused its options",
        "set CREDITBUS_KAFKA_JAVA_OPTIONS right",
    ),
)


def explain(server: str, logs: dict[Path, int], *, exit_code: int | None) -> RequestError | FatalError:
    """The error for a server that ended, or does not answer, while it should start.

    Args:
        server: its name.
        logs: its log files, the main one first, each with the size it had before this start.
        exit_code: how it ended; None when it still runs and does not answer.
    """
    texts = [_tail(path, start) for path, start in logs.items()]
    said = "\n".join(texts)
    where = next(iter(logs))
    for marks, code, what, remedy in _KNOWN:
        if any(mark in said for mark in marks):
            return RequestError(f"{server} did not start: {what} (log: {where})", code=code, remedy=remedy)
    how = "did not answer in time" if exit_code is None else f"ended with code {exit_code}"
    lines = [
        line for text in texts for line in text.splitlines() if "rror" in line or "ERROR" in line or "FATAL" in line
    ]
    last = f": {lines[-1].strip()[:200]}" if lines else ""
    return FatalError(
        f"{server} {how} at its start{last}",
        code="not_started",
        remedy=f"read {where}; a slow machine may need a longer CREDITBUS_START_TIMEOUT_SECONDS",
    )


def _tail(path: Path, start: int) -> str:
    """What a log says since a start, its last part only; all of it when it was rolled since."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        size = path.stat().st_size
        file.seek(max(start if size >= start else 0, size - READ_BYTES))
        return file.read().decode("utf-8", "replace")
