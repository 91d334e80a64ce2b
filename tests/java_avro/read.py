"""Reads and writes Avro by Apache's Java library in a JVM: `read.py JAVA_HOME CLASSPATH`, questions as JSON on standard input.

Asked {"schemas": {id: schema}, "messages": [[writer, reader, Avro in base64], ...], "pairs": [[reader, writer], ...]} it answers
{"messages": [[value, written again in base64], ...], "pairs": [true, ...]}. Values are in the JSON form of records; a pair is whether
the reader's schema can read what the writer's wrote, by Avro's rules.
"""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jpype

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def main() -> None:
    java_home, classpath = sys.argv[1:]
    library = next(Path(java_home).glob("lib/server/libjvm.*"))
    jpype.startJVM(
        str(library),
        "-Xmx128m",
        "-XX:TieredStopAtLevel=1",
        "--enable-native-access=ALL-UNNAMED",
        classpath=classpath.split(":"),
        convertStrings=False,
    )
    asked = json.load(sys.stdin)
    avro = Avro({name: json.dumps(schema) for name, schema in asked["schemas"].items()})
    messages = [avro.read(*message) for message in asked["messages"]]
    json.dump({"messages": messages, "pairs": [avro.can_read(*pair) for pair in asked["pairs"]]}, sys.stdout)


class Avro:
    """The library, with its own conversions of days, times and amounts.

    Args:
        schemas: JSON of each, by name.
    """

    def __init__(self, schemas: dict[str, str]) -> None:
        self._avro = jpype.JPackage("org").apache.avro
        self._schemas = {name: self._avro.Schema.Parser().parse(text) for name, text in schemas.items()}
        self._base64 = jpype.JClass("java.util.Base64")
        self._data = self._avro.generic.GenericData()
        for conversion in ("data.TimeConversions$DateConversion", "data.TimeConversions$TimestampMillisConversion"):
            self._data.addLogicalTypeConversion(jpype.JClass(f"org.apache.avro.{conversion}")())
        self._data.addLogicalTypeConversion(jpype.JClass("org.apache.avro.Conversions$DecimalConversion")())
        self._kinds: dict[str, Callable[[Any], Any]] = {
            "Utf8": str,
            "Integer": int,
            "Long": int,
            "Boolean": bool,
            "EnumSymbol": str,
            "LocalDate": str,
            "Instant": lambda one: _time(int(one.toEpochMilli())),
            "BigDecimal": lambda one: str(one.toPlainString()),
            "HeapByteBuffer": lambda one: self._text(one.array()),
            "Array": lambda one: [self._value(item) for item in one],
            "Record": lambda one: {
                str(field.name()): self._value(one.get(field.pos())) for field in one.getSchema().getFields()
            },
        }

    def read(self, writer: str, reader: str, message: str) -> list[Any]:
        """The value as the reader's schema has it, and the bytes that it is written as under that schema."""
        written, wanted = self._schemas[writer], self._schemas[reader]
        raw = self._base64.getDecoder().decode(message)
        decoder = self._avro.io.DecoderFactory.get().binaryDecoder(raw, None)
        value = self._avro.generic.GenericDatumReader(written, wanted, self._data).read(None, decoder)
        if not decoder.isEnd():
            raise ValueError(f"bytes are left of a message of {writer}")
        out = jpype.JClass("java.io.ByteArrayOutputStream")()
        encoder = self._avro.io.EncoderFactory.get().directBinaryEncoder(out, None)
        self._avro.generic.GenericDatumWriter(wanted, self._data).write(value, encoder)
        return [self._value(value), self._text(out.toByteArray())]

    def can_read(self, reader: str, writer: str) -> bool:
        """Whether one schema can read what was written under another."""
        compatibility = self._avro.SchemaCompatibility
        found = compatibility.checkReaderWriterCompatibility(self._schemas[reader], self._schemas[writer])
        return str(found.getType()) == "COMPATIBLE"

    def _value(self, value: Any) -> Any:
        return None if value is None else self._kinds[str(value.getClass().getSimpleName())](value)

    def _text(self, raw: Any) -> str:
        return str(self._base64.getEncoder().encodeToString(raw))


def _time(milliseconds: int) -> str:
    at = EPOCH + timedelta(milliseconds=milliseconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    main()
