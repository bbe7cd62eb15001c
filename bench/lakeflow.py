"""How long 10,000 saved tracks take, to records in Python and to rows in Spark; see lakeflow.ts.

Every way reads the same tracks, told apart only by the class that gives the records; to Spark they
all go with the same schema and through the same data source. Each figure is the median of its runs.
"""

import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CLIENT = Path(__file__).resolve().parents[1] / "clients" / "lakeflow"
PATHS = [str(CLIENT), str(CLIENT / "tests"), str(Path(__file__).parent)]
sys.path[:0] = PATHS
os.environ.update(PYTHONPATH=os.pathsep.join(PATHS), PYSPARK_PYTHON=sys.executable)

import requests  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

from lakeflow_source import LakeflowSource  # noqa: E402
from spotify import SpotifyLakeflowConnect, _Client, _Waits  # noqa: E402

ROWS = 10_000


class JsonConnector(SpotifyLakeflowConnect):
    """The same as JSON, one call after another until there is no more."""

    def read_table(
        self, table_name: str, start_offset: dict | None, table_options: dict[str, str]
    ) -> tuple[Iterator[dict], None]:
        """All rows of a snapshot."""
        records: list[dict[str, Any]] = []
        params = {name: table_options[name] for name in ("max_pages",) if name in table_options}
        next_url: str | None = f"/tables/{table_name}/read"
        with _Client(self._service_url, None) as client:
            while next_url:
                answer = client.get_json(next_url, params, _Waits(60))
                params = {}
                records += answer["records"]
                next_url = answer.get("next")
        return iter(records), None


class PythonConnector(SpotifyLakeflowConnect):
    """How the Python connector reads: one page after another, from Spotify itself."""

    def read_table(
        self, table_name: str, start_offset: dict | None, table_options: dict[str, str]
    ) -> tuple[Iterator[dict], None]:
        """All rows of a snapshot."""
        session = requests.Session()
        records: list[dict[str, Any]] = []
        offset = 0
        while True:
            answer = session.get(
                f"{table_options['spotify']}/me/{table_name}",
                params={"limit": 50, "offset": offset},
                headers={"Authorization": "Bearer bench"},
                timeout=30,
            ).json()
            records += answer["items"]
            if answer["next"] is None:
                return iter(records), None
            offset += 50


class JsonSource(LakeflowSource):
    """Its data source."""

    connector_class = JsonConnector

    @classmethod
    def name(cls) -> str:
        """Its format."""
        return "lakeflow_json"


class PythonSource(LakeflowSource):
    """Its data source."""

    connector_class = PythonConnector

    @classmethod
    def name(cls) -> str:
        """Its format."""
        return "python_connector"


def check(rows: int, ids: set[str]) -> None:
    """Raises unless every track is there once."""
    if rows != ROWS or len(ids) != ROWS:
        raise AssertionError(f"{rows} rows, {len(ids)} ids")


def main() -> None:
    """Measures, and prints a table."""
    spotify_url, many_url, default_url = sys.argv[1:]
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    for source in (LakeflowSource, JsonSource, PythonSource):
        spark.dataSource.register(source)

    def to_python(connector: type, options: dict[str, str]) -> float:
        start = time.perf_counter()
        records = list(connector(options).read_table("tracks", None, options)[0])
        elapsed = time.perf_counter() - start
        check(len(records), {record["track"]["id"] for record in records})
        return elapsed

    def to_spark(source: type, options: dict[str, str]) -> float:
        start = time.perf_counter()
        reader = spark.read.format(source.name()).options(tableName="tracks", **options)
        table = reader.load().toArrow()
        elapsed = time.perf_counter() - start
        check(table.num_rows, {track["id"] for track in table.column("track").to_pylist()})
        return elapsed

    many = {"service_url": many_url, "max_pages": "1000"}
    ways = [
        ("the Python connector's way, one page at a time", PythonSource, 2),
        ("NDJSON, 16 pages in flight", LakeflowSource, 5),
        ("JSON, 16 pages in flight", JsonSource, 5),
    ]
    # Spark itself is slower the first few times.
    for _ in range(3):
        to_spark(LakeflowSource, many)
    print(f"Spark {spark.version}, {ROWS:,} tracks at 80 ms a page\n")
    print("| | records in Python | times as fast | rows in Spark | times as fast |")
    print("| --- | --- | --- | --- | --- |")
    first: list[float] = []
    for what, source, runs in ways:
        options = {**many, "spotify": spotify_url}
        middle = [
            statistics.median(to_python(source.connector_class, options) for _ in range(runs)),
            statistics.median(to_spark(source, options) for _ in range(runs)),
        ]
        first = first or middle
        cells = [f"{s:.2f} s | {f / s:.1f}" for s, f in zip(middle, first, strict=True)]
        print(f"| {what} | {' | '.join(cells)} |", flush=True)
    # Once alone: a second read would wait until the service allows itself as many requests again.
    last = to_spark(LakeflowSource, {"service_url": default_url})
    print(f"| NDJSON, every default | | | {last:.2f} s | {first[1] / last:.1f} |")
    spark.stop()


main()
