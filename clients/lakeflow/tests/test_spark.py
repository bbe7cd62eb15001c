"""The whole way: Spark drives the class as Lakeflow does, over a simulated Spotify."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import PySparkException, StreamingQueryException
from pyspark.sql import DataFrame, SparkSession

from conftest import Simulation
from expected import rows_of
from lakeflow_source import LakeflowSource
from test_tables import TABLES

pytestmark = pytest.mark.spark

SECRETS = {"client_secret": "the-client-secret", "refresh_token": "the-refresh-token"}

Pipeline = Callable[..., "Sink"]


class Read:
    """Reads of the simulated account's tables, with whatever a pipeline sets on its reader."""

    def __init__(self, spark: SparkSession, simulation: Simulation) -> None:
        self._spark = spark
        self.options = {
            "service_url": simulation.service,
            "api_key": "the-access-key",
            "databricks.connection": "the-uc-connection",
            **SECRETS,
        }

    def batch(self, table: str, **options: str) -> DataFrame:
        """A batch read, as of a snapshot."""
        reader = self._spark.read.format("lakeflow_connect")
        return reader.options(tableName=table, **self.options, **options).load()

    def rows(self, table: str, **options: str) -> list[dict[str, Any]]:
        """The rows of a batch read."""
        return [row.asDict(recursive=True) for row in self.batch(table, **options).collect()]

    def stream(self, table: str) -> DataFrame:
        """A stream read, as of changes."""
        reader = self._spark.readStream.format("lakeflow_connect")
        return reader.options(tableName=table, **self.options).load()


class Sink:
    """A stream into a table in memory, keyed as `apply_changes` does it; it can be run again."""

    def __init__(self, stream: DataFrame, folder: Path) -> None:
        self._stream = stream
        self.checkpoint = folder / "checkpoint"
        self.batches: list[list[dict[str, Any]]] = []

    @property
    def keys(self) -> list[tuple[str, str]]:
        """The key of every row that has come, in order; one that came twice is there twice."""
        return [(row["played_at"], row["track"]["id"]) for batch in self.batches for row in batch]

    def run(self, crash_after: int | None = None) -> None:
        """Reads all there is. `crash_after`: the writer dies when so many batches were written."""
        batches: list[list[dict[str, Any]]] = []

        def write(batch: DataFrame, _id: int) -> None:
            batches.append([row.asDict(recursive=True) for row in batch.collect()])
            if len(batches) == crash_after:
                raise RuntimeError("the writer dies before the batch is committed")

        writer = self._stream.writeStream.foreachBatch(write)
        query = (
            writer.option("checkpointLocation", str(self.checkpoint))
            .trigger(availableNow=True)
            .start()
        )
        try:
            assert query.awaitTermination(60)
        finally:
            query.stop()
            self.batches += [batch for batch in batches if batch]

    def offset(self) -> dict[str, Any]:
        """The offset that Spark has stored last."""
        newest = max(int(file.name) for file in self._offsets())
        text = (self.checkpoint / "offsets" / str(newest)).read_text()
        return json.loads(text.splitlines()[-1])

    def put_offset(self, offset: dict[str, Any]) -> None:
        """Replaces every stored offset, as if another connector had stored it."""
        for file in self._offsets():
            lines = file.read_text().splitlines()
            file.write_text("\n".join([*lines[:-1], json.dumps(offset)]))
            file.with_name(f".{file.name}.crc").unlink(missing_ok=True)

    def _offsets(self) -> list[Path]:
        folder = self.checkpoint / "offsets"
        return [file for file in folder.iterdir() if file.name.isdigit()]


@pytest.fixture
def read(spark: SparkSession, simulation: Simulation) -> Read:
    """Reads over a service that behaves."""
    return Read(spark, simulation)


@pytest.fixture
def plays(read: Read, tmp_path: Path) -> Sink:
    """A stream of the plays."""
    return Sink(read.stream("recently_played"), tmp_path)


def keys_of(plays: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The keys of Spotify's own plays."""
    return [(play["played_at"], play["track"]["id"]) for play in plays]


@pytest.mark.parametrize("table", TABLES)
def test_a_batch_read_is_the_library(read: Read, simulation: Simulation, table: str) -> None:
    items = simulation.tell("show")[table]
    if table == "recently_played":
        items = items[:50][::-1]
    assert read.rows(table) == rows_of(
        table, items, LakeflowSource({**read.options, "tableName": table}).schema()
    )


def test_no_secret_of_the_reader_reaches_a_url(read: Read, simulation: Simulation) -> None:
    assert len(read.rows("top_tracks", time_range="long_term", limit="50")) == 320
    asked = simulation.tell("asked")
    assert {one["authorization"] for one in asked} == {"Bearer the-access-key"}
    assert not [one["url"] for one in asked if "the-" in one["url"]]
    assert simulation.reads() == [
        "/tables/top_tracks/read?time_range=long_term&limit=50&format=ndjson"
    ]


def test_seven_thousand_tracks_are_all_there(read: Read, simulation: Simulation) -> None:
    simulation.tell("library", size={"tracks": 7000})
    ids = [row["track"]["id"] for row in read.rows("tracks")]
    assert len(ids) == 7000
    assert ids == [item["track"]["id"] for item in simulation.tell("show")["tracks"]]


def test_a_rate_limit_in_the_middle_is_waited_for(read: Read, simulation: Simulation) -> None:
    # Longer than the service waits by itself: it ends its answer, and says when to come back.
    limited = {"kind": "status", "status": 429, "headers": {"retry-after": "2"}, "body": ""}
    simulation.tell("library", size={"tracks": 1000})
    simulation.tell("fault", path="/me/tracks", skip=9, fault=limited)
    ids = [row["track"]["id"] for row in read.rows("tracks")]
    assert ids == [item["track"]["id"] for item in simulation.tell("show")["tracks"]]
    assert len(simulation.reads()) >= 2


def test_a_rate_limit_that_lasts_fails_the_read_and_gives_no_part(
    read: Read, simulation: Simulation
) -> None:
    limited = {"kind": "status", "status": 429, "headers": {"retry-after": "3600"}, "body": ""}
    simulation.tell("fault", path="/me/playlists", skip=1, times=None, fault=limited)
    with pytest.raises(PySparkException, match="rate-limited") as raised:
        read.rows("playlists", max_wait_seconds="60")
    assert "max_wait_seconds" in str(raised.value)


def test_a_list_that_moves_is_whole(read: Read, simulation: Simulation) -> None:
    simulation.tell("library", size={"tracks": 900, "playlists": 300})
    before = simulation.tell("show")
    for nth, place in ((4, 10), (6, 3), (8, 0)):
        simulation.tell("move", path="/me/tracks", nth=nth, list="tracks", **{"from": place})
    # A playlist is dragged from behind to the front of what is being read.
    simulation.tell("move", path="/me/playlists", nth=4, list="playlists", **{"from": 220}, to=60)
    tracks = [row["track"]["id"] for row in read.rows("tracks")]
    after = {item["track"]["id"] for item in simulation.tell("show")["tracks"]}
    assert len(after) == 897
    assert len(set(tracks)) == len(tracks)
    assert after <= set(tracks) <= {item["track"]["id"] for item in before["tracks"]}
    playlists = [row["id"] for row in read.rows("playlists")]
    assert len(playlists) == 300
    assert set(playlists) == {item["id"] for item in before["playlists"]}


def test_an_append_only_table_is_given_once(
    read: Read, simulation: Simulation, tmp_path: Path
) -> None:
    sink = Sink(read.stream("albums"), tmp_path)
    sink.run()
    albums = [row["album"]["id"] for batch in sink.batches for row in batch]
    held = [item["album"]["id"] for item in simulation.tell("show")["albums"] if item]
    assert albums == held
    assert sink.offset() == {"snapshot_done": True}
    sink.run()
    assert len(sink.batches) == 1


def test_plays_go_on_from_where_the_last_run_ended(plays: Sink, simulation: Simulation) -> None:
    old = keys_of(simulation.tell("show")["recently_played"][:50])
    plays.run()
    assert plays.keys == old[::-1]
    for nth, second in enumerate(("01", "02")):
        simulation.tell("play", played_at=f"2026-11-25T12:00:{second}.500Z", track=800 + nth)
    plays.run()
    new = keys_of(simulation.tell("show")["recently_played"][-2:])
    assert plays.keys == old[::-1] + new
    offset = plays.offset()
    plays.run()
    assert plays.keys == old[::-1] + new
    assert json.dumps(plays.offset()) == json.dumps(offset)


def test_a_play_that_comes_late_is_given_once(plays: Sink, simulation: Simulation) -> None:
    plays.run()
    newest = plays.keys[-1]
    # Older than the checkpoint's cursor: it lies between plays that were given long ago.
    simulation.tell("play", played_at="2026-11-24T11:00:00.001Z", track=900)
    late = keys_of(simulation.tell("show")["recently_played"][-1:])
    assert late[0] < newest
    for _ in range(2):
        plays.run()
        assert plays.keys[50:] == late


def test_a_crash_before_a_batch_is_committed_loses_no_play(
    plays: Sink, simulation: Simulation
) -> None:
    plays.run()
    old = plays.keys
    simulation.tell("play", played_at="2026-11-25T12:00:01.000Z", track=801)
    first = keys_of(simulation.tell("show")["recently_played"][-1:])
    with pytest.raises(StreamingQueryException, match="the writer dies"):
        plays.run(crash_after=1)
    assert plays.keys == old + first
    # More is played before the pipeline is started again.
    simulation.tell("play", played_at="2026-11-25T12:05:00.000Z", track=802)
    both = keys_of(simulation.tell("show")["recently_played"][-2:])
    plays.run()
    assert set(plays.keys) == set(old + both)
    assert plays.keys[: len(old)] == old
    # What comes twice, `apply_changes` takes for one; nothing comes a third time.
    assert max(plays.keys.count(key) for key in both) <= 2
    seen = len(plays.keys)
    plays.run()
    assert len(plays.keys) == seen


def test_a_kill_between_two_batches_loses_no_play(
    read: Read, plays: Sink, simulation: Simulation, tmp_path: Path
) -> None:
    plays.run()
    # The last commit never reached the disk; a new process starts on what is there.
    copy = Sink(read.stream("recently_played"), tmp_path / "copy")
    shutil.copytree(plays.checkpoint, copy.checkpoint)
    commits = [file for file in (copy.checkpoint / "commits").iterdir()]
    assert commits
    for file in commits:
        file.unlink()
    simulation.tell("play", played_at="2026-11-25T12:00:01.000Z", track=801)
    new = keys_of(simulation.tell("show")["recently_played"][-1:])
    copy.run()
    assert set(copy.keys) >= set(plays.keys[1:] + new)


def test_a_checkpoint_of_the_python_connector_is_gone_on_from(
    plays: Sink, simulation: Simulation
) -> None:
    plays.run()
    old = plays.keys
    # The Python connector stores the newest play's instant, in ms and as text.
    third_newest = old[-3][0]
    plays.put_offset({"cursor": str(instant_ms(third_newest))})
    simulation.tell("play", played_at="2026-11-25T12:00:01.000Z", track=801)
    new = keys_of(simulation.tell("show")["recently_played"][-1:])
    plays.run()
    assert plays.keys[50:] == old[-2:] + new
    assert plays.offset().keys() == {"cursor", "recent"}


def test_an_unknown_table_fails_before_anything_is_read(read: Read) -> None:
    with pytest.raises(PySparkException, match="There is no table 'trakcs'"):
        read.batch("trakcs")


def instant_ms(played_at: str) -> int:
    """Unix ms of an instant as Spotify writes it, with or without a fraction."""
    from datetime import datetime

    return round(datetime.fromisoformat(played_at.replace("Z", "+00:00")).timestamp() * 1000)
