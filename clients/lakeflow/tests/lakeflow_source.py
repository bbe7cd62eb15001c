"""A Spark data source that drives a connector class as the Lakeflow framework does.

The framework is not on the package index. What matters of it is here: which methods are called,
with what, how often, and how strictly its rows are made of the records.
"""

from collections.abc import Iterator
from typing import Any

from pyspark.sql import Row
from pyspark.sql.datasource import (
    DataSource,
    DataSourceReader,
    InputPartition,
    SimpleDataSourceStreamReader,
)
from pyspark.sql.streaming.datasource import SupportsTriggerAvailableNow
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    LongType,
    StringType,
    StructType,
)

from spotify import SpotifyLakeflowConnect

_WORDS = {"true": True, "t": True, "yes": True, "false": False, "f": False, "no": False}


def to_spark(value: Any, kind: DataType) -> Any:
    """A JSON value as Spark's, by the schema. Raises where the framework would."""
    if value is None:
        return None
    if isinstance(kind, StructType):
        if not isinstance(value, dict) or not value:
            raise ValueError(f"no struct: {value!r}")
        fields = {field.name: to_spark(value.get(field.name), field.dataType) for field in kind}
        empty = [field.name for field in kind if not field.nullable and fields[field.name] is None]
        if empty:
            raise ValueError(f"not nullable: {empty}")
        return Row(**fields)
    if isinstance(kind, ArrayType):
        if not isinstance(value, list):
            raise ValueError(f"no array: {value!r}")
        return [to_spark(item, kind.elementType) for item in value]
    if isinstance(kind, LongType):
        return int(value)
    if isinstance(kind, StringType):
        return str(value)
    if isinstance(kind, BooleanType):
        return _WORDS[value.lower()] if isinstance(value, str) else bool(value)
    raise TypeError(f"a type that no table has: {kind}")


class BatchReader(DataSourceReader):
    """A batch read: one call from no offset; the offset that it gives is thrown away."""

    def __init__(self, connector: Any, options: dict[str, str], schema: StructType) -> None:
        self._connector = connector
        self._options = options
        self._schema = schema

    def partitions(self) -> list[InputPartition]:
        return [InputPartition(None)]

    def read(self, partition: InputPartition) -> Iterator[Row]:
        records, _ = self._connector.read_table(self._options["tableName"], None, self._options)
        return map(lambda record: to_spark(record, self._schema), records)


class StreamReader(SimpleDataSourceStreamReader, SupportsTriggerAvailableNow):
    """A stream: from `{}` on, again and again from the offset that came last."""

    def __init__(self, connector: Any, options: dict[str, str], schema: StructType) -> None:
        self._connector = connector
        self._options = options
        self._schema = schema

    def initialOffset(self) -> dict:  # noqa: N802
        return {}

    def read(self, start: dict) -> tuple[Iterator[Row], dict]:
        table = self._options["tableName"]
        records, offset = self._connector.read_table(table, start, dict(self._options))
        return map(lambda record: to_spark(record, self._schema), records), offset

    def readBetweenOffsets(self, start: dict, end: dict) -> Iterator[Row]:  # noqa: N802
        return self.read(start)[0]

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802
        pass


class LakeflowSource(DataSource):
    """`spark.read.format("lakeflow_connect")`, and `readStream`, with `tableName`."""

    connector_class: type = SpotifyLakeflowConnect

    def __init__(self, options: dict[str, str]) -> None:
        super().__init__(options)
        self._connector = self.connector_class(options)

    @classmethod
    def name(cls) -> str:
        return "lakeflow_connect"

    def schema(self) -> StructType:
        return self._connector.get_table_schema(self.options["tableName"], self.options)

    def reader(self, schema: StructType) -> BatchReader:
        return BatchReader(self._connector, self.options, schema)

    def simpleStreamReader(self, schema: StructType) -> StreamReader:  # noqa: N802
        return StreamReader(self._connector, self.options, schema)
