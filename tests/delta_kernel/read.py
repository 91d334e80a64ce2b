"""Prints the rows of Delta tables as JSON, read by Delta Kernel and parquet-mr in a JVM: `read.py JAVA_HOME CLASSPATH TABLE...`.

Each table becomes one line: [[column, ...], [[value, ...], ...]]. Days, times and amounts are text as Python writes them.
"""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jpype

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


SCALARS: dict[str, Callable[[Any, int], Any]] = {
    "StringType": lambda vector, row: str(vector.getString(row)),
    "IntegerType": lambda vector, row: int(vector.getInt(row)),
    "LongType": lambda vector, row: int(vector.getLong(row)),
    "BooleanType": lambda vector, row: bool(vector.getBoolean(row)),
    "DateType": lambda vector, row: (EPOCH + timedelta(days=int(vector.getInt(row)))).date().isoformat(),
    "TimestampType": lambda vector, row: (EPOCH + timedelta(microseconds=int(vector.getLong(row)))).isoformat(),
    "DecimalType": lambda vector, row: str(vector.getDecimal(row).toPlainString()),
}


def value_of(vector: Any, kind: Any, row: int) -> Any:
    """One value of a column."""
    if vector.isNullAt(row):
        return None
    name = str(kind.getClass().getSimpleName())
    if name == "ArrayType":
        array = vector.getArray(row)
        elements = array.getElements()
        return [value_of(elements, kind.getElementType(), number) for number in range(int(array.getSize()))]
    if name == "StructType":
        return {
            str(field.getName()): value_of(vector.getChild(number), field.getDataType(), row)
            for number, field in enumerate(kind.fields())
        }
    return SCALARS[name](vector, row)


def rows_of(engine: Any, path: str) -> Iterator[Any]:
    """The columns' names, then each row."""
    kernel = jpype.JPackage("io").delta.kernel
    snapshot = kernel.Table.forPath(engine, path).getLatestSnapshot(engine)
    schema = snapshot.getSchema()
    yield [str(name) for name in schema.fieldNames()]
    scan = snapshot.getScanBuilder().build()
    state = scan.getScanState(engine)
    physical = kernel.internal.data.ScanStateRow.getPhysicalDataReadSchema(engine, state)
    batches = scan.getScanFiles(engine)
    while batches.hasNext():
        files = batches.next().getRows()
        while files.hasNext():
            file = files.next()
            status = kernel.internal.InternalScanFileUtils.getAddFileStatus(file)
            one = kernel.internal.util.Utils.singletonCloseableIterator(status)
            data = engine.getParquetHandler().readParquetFiles(one, physical, jpype.java.util.Optional.empty())
            found = kernel.Scan.transformPhysicalData(engine, state, file, data)
            while found.hasNext():
                batch = found.next().getData()
                columns = [(batch.getColumnVector(n), field.getDataType()) for n, field in enumerate(schema.fields())]
                for row in range(int(batch.getSize())):
                    yield [value_of(vector, kind, row) for vector, kind in columns]


def main() -> None:
    java_home, classpath, *tables = sys.argv[1:]
    library = next(Path(java_home).glob("lib/server/libjvm.*"))
    jpype.startJVM(
        str(library),
        "-Xmx256m",
        "--enable-native-access=ALL-UNNAMED",
        classpath=classpath.split(":"),
        convertStrings=False,
    )
    configuration = jpype.JClass("org.apache.hadoop.conf.Configuration")()
    engine = jpype.JClass("io.delta.kernel.defaults.engine.DefaultEngine").create(configuration)
    for table in tables:
        names, *rows = rows_of(engine, table)
        sys.stdout.write(json.dumps([names, rows], ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
