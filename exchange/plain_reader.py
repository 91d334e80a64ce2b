"""The hot path's decoder: for each schema one Python function, made from it, that reads a message into a plain record.

Decoding is the largest cost of the standing processor. fastavro walks the schema for every field of every message; the function
made here has the walk behind it, and takes less (`tests/bench/codec.py` prints by how much). For a record of a string, a
nullable day and a boolean it reads:

    def read(raw):
        i = 5
        odd = 0
        n = raw[i]; i += 1
        if n:
            if n > 127: n, i = _tail(raw, n, i)
            odd |= n
            v1 = raw[i:(i := i + (n >> 1))].decode()
        else: v1 = ''
        n = raw[i]; i += 1
        if n == 0: v2 = None
        elif n == 2: ...
        else: raise ValueError(...)
        n = raw[i]; i += 1
        if n > 1: raise ValueError(...)
        v3 = n == 1
        if odd & 1 or i != len(raw): raise ...
        return {"document": v1, "until": v2, "serious": v3}

A slice beyond the end is short and not an error in Python, so one comparison at the end finds every truncation that no index
ran into; `odd` gathers the sign bits of all lengths. No length is trusted with memory: slices and lists are no longer than the message.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

from exchange.errors import Reason, UndecodableError
from exchange.registry import Schema

Read = Callable[[bytes], dict[str, Any]]
LONG_BITS = 64
MORE = 128
"""The bit of a byte that says that more bytes follow."""


def compile_reader(schema: Schema, start: int) -> Read:
    """A function that reads a message's Avro into the plain form, all of it.

    Args:
        schema: a plain record schema (see `exchange.plain.plain_type`).
        start: bytes before the Avro.

    Returns:
        The function; of wrong bytes it raises `UndecodableError` (`trailing_bytes`, `truncated`), IndexError or ValueError.
    """
    lines, variables = reading_lines(schema, start)
    fields = ", ".join(f"{name!r}: {variable}" for name, variable in variables.items())
    body = [*lines, "if odd & 1 or i != len(raw): raise _misfit(odd, i, len(raw))", f"return {{{fields}}}"]
    read: Read = compile_function("read(raw)", body)
    return read


def reading_lines(schema: Schema, start: int) -> tuple[list[str], dict[str, str]]:
    """The lines that read a message, and the variable in which each field is then; it fits when `odd` is even and `i` its length.

    Args:
        schema: a plain record schema.
        start: bytes before the Avro.
    """
    names = (f"v{number}" for number in count())
    lines, variables = [f"i = {start}", "odd = 0"], {}
    for field in schema["fields"]:
        variables[field["name"]] = next(names)
        lines += _read(variables[field["name"]], field["type"], names)
    return lines, variables


def compile_function(signature: str, body: Iterable[str], **names: Any) -> Any:
    """A function of some lines, which may use `names`."""
    namespace: dict[str, Any] = {"_tail": _tail, "_misfit": _misfit, **names}
    # The source is made of this project's schemas and rules alone, nothing of a message is in it.
    exec("\n".join([f"def {signature}:", *_indent(body)]), namespace)  # noqa: S102
    return namespace[signature.partition("(")[0]]


def _tail(raw: bytes, n: int, i: int) -> tuple[int, int]:
    """The rest of a number whose first byte is `n`, of which byte `i` is the next; and where it ends."""
    second = raw[i]
    if second < MORE:
        return n - MORE + (second << 7), i + 1
    third = raw[i + 1]
    if third < MORE:
        return n - MORE + (second - MORE << 7) + (third << 14), i + 2
    n += (second << 7) + (third << 14) - (MORE + (MORE << 7) + (MORE << 14))
    shift = 21
    i += 2
    while True:
        byte = raw[i]
        i += 1
        if byte < MORE:
            return n + (byte << shift), i
        n += byte - MORE << shift
        shift += 7
        if shift >= LONG_BITS:
            raise ValueError("a number of more than 64 bits")


def _misfit(odd: int, end: int, length: int) -> UndecodableError:
    if odd & 1:
        reason = Reason(code="undecodable", value="a negative length", rule="lengths are not negative")
    elif end > length:
        reason = Reason(code="truncated", value=f"{length} bytes", rule=f"at least {end} bytes")
    else:
        reason = Reason(code="trailing_bytes", value=f"{length - end} bytes", rule="nothing follows the record")
    return UndecodableError((reason,))


NEXT = "n = raw[i]; i += 1"
LONG = (NEXT, "if n > 127: n, i = _tail(raw, n, i)")


def _read(target: str, avro: Any, names: Iterator[str]) -> Iterator[str]:
    """The lines that read one value into the variable `target`."""
    match avro:
        case "string" | "bytes":
            yield NEXT
            yield "if n:"
            yield "    if n > 127: n, i = _tail(raw, n, i)"
            yield "    odd |= n"
            yield f"    {target} = raw[i:(i := i + (n >> 1))]{'.decode()' if avro == 'string' else ''}"
            yield f"else: {target} = {'' if avro == 'string' else 'b'}''"
        case "int" | "long":
            yield from LONG
            yield f"{target} = (n >> 1) ^ -(n & 1)"
        case "boolean":
            yield NEXT
            yield "if n > 1: raise ValueError('a boolean is 0 or 1')"
            yield f"{target} = n == 1"
        case ["null", branch]:
            yield NEXT
            yield f"if n == 0: {target} = None"
            yield "elif n == 2:"
            yield from _indent(_read(target, branch, names))
            yield "else: raise ValueError('no such branch of a union')"
        case {"type": "array", "items": items}:
            yield from _read_array(target, items, names)
        case {"type": "record", "fields": fields}:
            read = [(field["name"], next(names), field["type"]) for field in fields]
            for _, variable, kind in read:
                yield from _read(variable, kind, names)
            yield f"{target} = {{{', '.join(f'{name!r}: {variable}' for name, variable, _ in read)}}}"
        case _:
            raise TypeError(f"the bus has no such type: {avro!r}")


def _read_array(target: str, items: Any, names: Iterator[str]) -> Iterator[str]:
    """Blocks of items, each with its count (negative when its size in bytes follows), until a block of none."""
    item = next(names)
    yield f"{target} = []"
    yield NEXT
    yield "while n:"
    block = [
        "if n > 127: n, i = _tail(raw, n, i)",
        "if n & 1:",
        "    m = n + 1 >> 1",
        f"    {LONG[0]}",
        f"    {LONG[1]}",
    ]
    block += ["else: m = n >> 1", "for _ in range(m):", *_indent(_read(item, items, names))]
    block += [f"    {target}.append({item})", NEXT]
    yield from _indent(block)


def _indent(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)
