"""Every table of the service, through the class alone: what the framework's own suite asks for."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from pyspark.sql.types import ArrayType, IntegerType, StructType

import spotify
from conftest import Simulation
from expected import rows_of
from lakeflow_source import to_spark

TABLES = [
    "tracks",
    "albums",
    "playlists",
    "artists",
    "top_tracks",
    "top_artists",
    "recently_played",
    "user_profile",
]
# What Spotify never sends an app in development mode is asked of one with all fields.
MODES = pytest.mark.parametrize("mode", ["development", "extended"])
each_table = pytest.mark.parametrize("table", TABLES)


@pytest.fixture
def connector(simulation: Simulation) -> spotify.SpotifyLakeflowConnect:
    """A connector of the real service."""
    return spotify.SpotifyLakeflowConnect({"service_url": simulation.service})


def types_in(kind: Any) -> Iterator[Any]:
    """All types within a type."""
    yield kind
    if isinstance(kind, StructType):
        for field in kind:
            yield from types_in(field.dataType)
    if isinstance(kind, ArrayType):
        yield from types_in(kind.elementType)


def value_at(value: Any, path: str) -> Any:
    """The value at a dotted path."""
    for name in path.split("."):
        value = value[name]
    return value


def type_at(schema: Any, path: str) -> Any:
    """The type at a dotted path; raises where there is none."""
    for name in path.split("."):
        schema = schema[name].dataType
    return schema


def test_the_names_are_unique_and_in_order(connector: spotify.SpotifyLakeflowConnect) -> None:
    assert connector.list_tables() == TABLES


@each_table
def test_a_schema_has_unique_names_and_long_for_every_number(
    connector: spotify.SpotifyLakeflowConnect, table: str
) -> None:
    schema = connector.get_table_schema(table, {})
    assert isinstance(schema, StructType)
    for kind in types_in(schema):
        assert not isinstance(kind, IntegerType)
        if isinstance(kind, StructType):
            assert kind.names
            assert len(set(kind.names)) == len(kind.names)


@each_table
def test_keys_and_cursor_are_in_the_schema(
    connector: spotify.SpotifyLakeflowConnect, table: str
) -> None:
    schema = connector.get_table_schema(table, {})
    metadata = connector.read_table_metadata(table, {})
    assert metadata["primary_keys"]
    for key in metadata["primary_keys"]:
        assert type_at(schema, key).simpleString() == "string"
    if table == "recently_played":
        assert metadata["ingestion_type"] == "cdc"
        assert metadata["cursor_field"] in schema.names
    else:
        assert metadata == {
            "ingestion_type": "snapshot",
            "primary_keys": metadata["primary_keys"],
        }


def test_every_call_raises_for_an_unknown_table(
    connector: spotify.SpotifyLakeflowConnect,
) -> None:
    for call in (connector.get_table_schema, connector.read_table_metadata):
        with pytest.raises(ValueError, match="user_profile"):
            call("__nonexistent_table__", {})
    for start in (None, {}):
        with pytest.raises(ValueError, match="user_profile"):
            connector.read_table("__nonexistent_table__", start, {})


@MODES
@each_table
def test_every_row_has_its_keys_and_fits_the_schema(
    simulation: Simulation, connector: spotify.SpotifyLakeflowConnect, table: str, mode: str
) -> None:
    simulation.tell("library", size={"mode": mode})
    schema = connector.get_table_schema(table, {})
    keys = connector.read_table_metadata(table, {})["primary_keys"]
    result = connector.read_table(table, {}, {})
    assert isinstance(result, tuple) and len(result) == 2
    records, end = result
    json.dumps(end)
    rows = list(records)
    assert rows
    for row in rows:
        assert isinstance(row, dict)
        assert list(row) == schema.names
        assert all(value_at(row, key) is not None for key in keys)
        to_spark(row, schema)
    assert len({tuple(value_at(row, key) for key in keys) for row in rows}) == len(rows)


@each_table
def test_each_column_is_filled_in_a_sampled_row(
    simulation: Simulation, connector: spotify.SpotifyLakeflowConnect, table: str
) -> None:
    simulation.tell("library", size={"mode": "extended"})
    rows = list(islice(connector.read_table(table, {}, {})[0], 50))
    # Spotify has not filled it since 2024.
    never = {"preview_url"} if table == "top_tracks" else set()
    schema = connector.get_table_schema(table, {})
    empty = {name for name in schema.names if all(row[name] is None for row in rows)}
    assert empty == never


@each_table
@pytest.mark.parametrize("start", [None, {}])
def test_reading_on_from_the_offset_ends(
    connector: spotify.SpotifyLakeflowConnect, table: str, start: dict | None
) -> None:
    records, end = connector.read_table(table, start, {})
    first = list(records)
    assert first
    calls = 0
    while end is not None:
        records, then = connector.read_table(table, end, {})
        assert list(records) == []
        calls += 1
        assert calls < 50
        if json.dumps(then) == json.dumps(end):
            break
        end = then
    if table != "recently_played":
        assert (end is None) == (start is None)


@MODES
@each_table
def test_the_rows_are_the_librarys(
    simulation: Simulation, connector: spotify.SpotifyLakeflowConnect, table: str, mode: str
) -> None:
    simulation.tell("library", size={"mode": mode})
    items = simulation.tell("show")[table]
    if table == "recently_played":
        # Spotify gives the last 50, newest first; the table is in the order of time.
        items = items[:50][::-1]
    rows = rows_of(table, items, connector.get_table_schema(table, {}))
    assert list(connector.read_table(table, None, {})[0]) == rows


def test_several_calls_make_one_table(
    simulation: Simulation, connector: spotify.SpotifyLakeflowConnect
) -> None:
    simulation.tell("library", size={"tracks": 1000})
    items = simulation.tell("show")["tracks"]
    records, _ = connector.read_table("tracks", None, {"max_pages": "3", "limit": "40"})
    assert [row["track"]["id"] for row in records] == [item["track"]["id"] for item in items]
    assert len(simulation.reads()) == 9
