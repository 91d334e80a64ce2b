"""Values in files of Java's properties. Pure."""


def escaped(value: str) -> str:
    r"""A value as Java's properties want it: backslashes doubled, all but ASCII as UTF-16 escapes.

    >>> escaped(r"gd\.in"), escaped("省")
    ('gd\\\\.in', '\\u7701')
    """
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = [int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2)]
    return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)  # ASCII
