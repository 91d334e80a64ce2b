"""The one tree of errors, sorted by what a process must do about them.

    CreditbusError
    ├── RetryLaterError      a server is away or slow: back off, nothing is lost
    ├── RejectedError        this input is wrong: quarantine it with raw bytes and all reasons, go on
    │   └── UndecodableError the bytes are not one of our records
    ├── HeldError            a limit is reached: stop taking input, keep what is there
    ├── FencedError          another process owns this partition now: forget local state, re-attach
    ├── RequestError         the caller asked for something that cannot be: tell the caller
    └── FatalError           going on could do harm: stop the process

Each error has a stable `code`, says what happened, and carries a `remedy`: what the operator can do.
"""

from dataclasses import dataclass


class CreditbusError(Exception):
    """An error of the bus.

    Args:
        message: what happened, with the field and the value.
        code: stable name for programs, dashboards and documents.
        remedy: what the operator can do about it.
    """

    code = "error"
    remedy = ""

    def __init__(self, message: str, *, code: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.remedy = remedy or type(self).remedy
        if self.remedy:
            self.add_note(self.remedy)  # a program that ends by it shows what to do as well

    def line(self) -> str:
        """The whole error in one line, as the command line prints it."""
        tail = f" - {self.remedy}" if self.remedy else ""
        return f"error[{self.code}]: {self}{tail}"


class RetryLaterError(CreditbusError):
    """A server is away or slow; the same call may succeed later."""

    code = "retry_later"


class HeldError(CreditbusError):
    """A limit is reached; input is held back until somebody acts."""

    code = "held"


class FencedError(CreditbusError):
    """Another process committed to this partition: local state is stale."""

    code = "fenced"


class RequestError(CreditbusError):
    """The caller asked for something that cannot be."""

    code = "bad_request"


class FatalError(CreditbusError):
    """Going on could do harm."""

    code = "fatal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One rule that an input broke: stable code, the field, its value (cut to 200 characters) and the rule."""

    code: str
    field: str = ""
    value: str = ""
    rule: str = ""


class RejectedError(CreditbusError):
    """An input that is wrong, with every reason found."""

    code = "rejected"

    def __init__(self, reasons: tuple[Reason, ...]) -> None:
        super().__init__("; ".join(f"{r.code} {r.field}={r.value!r} ({r.rule})" for r in reasons))
        self.reasons = reasons


class UndecodableError(RejectedError):
    """The bytes are not one of our records."""

    code = "undecodable"
