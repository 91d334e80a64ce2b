"""What decoding and validating cost, for each record type, beside fastavro with the same schema in the same run.

python -m tests.bench.codec           a table, then one flat JSON object
"""

import json
import platform
import sys
import time
import timeit
from collections.abc import Callable
from importlib.metadata import version
from io import BytesIO

from fastavro import parse_schema, schemaless_reader

from exchange.codec import PREFIX_BYTES, Codec
from exchange.paths import SCHEMAS
from exchange.plain import plain_type
from exchange.validation import validate

CALLS = 4_000
ROUNDS = 12
TODAY = 22_000


def microseconds(call: Callable[[], object]) -> float:
    """The best of some rounds, in µs of CPU time a call: other programs on the machine disturb it little."""
    return min(timeit.repeat(call, number=CALLS, repeat=ROUNDS, timer=time.process_time)) / CALLS * 1e6


def measure(codec: Codec, raw: bytes) -> dict[str, float]:
    """Costs of one message in µs, and its bytes."""
    record_type, plain = codec.decode_plain(raw)
    schema = parse_schema(plain_type(codec.contracts.latest[record_type].schema))
    record = codec.decode(raw)[1]
    grants = frozenset({record_type})
    department = plain.get("department", "")

    def read_with_fastavro() -> object:
        source = BytesIO(raw)
        source.seek(PREFIX_BYTES)
        return schemaless_reader(source, schema, None)

    return {
        "bytes": len(raw),
        "decode_plain": microseconds(lambda: codec.decode_plain(raw)),
        "fastavro": microseconds(read_with_fastavro),
        "decode": microseconds(lambda: codec.decode(raw)),
        "encode": microseconds(lambda: codec.encode(record_type, record)),
        "encode_plain": microseconds(lambda: codec.encode_plain(record_type, plain)),
        "validate": microseconds(
            lambda: validate(record_type, plain, department=department, today=TODAY, grants=grants, size=len(raw))
        ),
    }


def main() -> int:
    """Measure the fullest example of each record type."""
    codec = Codec.from_files(SCHEMAS)
    flat: dict[str, object] = {
        "python": platform.python_version(),
        "fastavro_version": version("fastavro"),
        "calls": CALLS * ROUNDS,
    }
    for record_type in codec.record_types:
        examples = (bytes.fromhex(p.read_text("ascii")) for p in (SCHEMAS / "examples" / record_type).glob("*.hex"))
        costs = measure(codec, max(examples, key=len))
        print(f"{record_type:18}", *(f"{name} {cost:6.2f}" for name, cost in costs.items()))
        flat |= {f"{record_type}_{name}": round(cost, 2) for name, cost in costs.items()}
    print(json.dumps(flat))
    return 0


if __name__ == "__main__":
    sys.exit(main())
