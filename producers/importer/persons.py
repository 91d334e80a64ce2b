"""Keeps personal identifiers out of reports."""


def mask_value(value: str) -> str:
    """A personal identifier as reports may show it: the first six characters, the rest hidden.

    >>> mask_value("440000190001010018")
    '440000************'
    """
    return value[:6] + "*" * max(0, len(value) - 6) if len(value) > 6 else "*" * len(value)  # domain.md 8
