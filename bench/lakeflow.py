"""How long 10,000 saved tracks take from Spark to rows; started by lakeflow.ts.

Every way is a Spark batch read of the same tracks with the same schema, told apart only by the class
that gives the records. Each figure is the median of its runs, the runs beside it.
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
    """The same as pages of JSON, one call after another until there is no more."""

    def read_table(
        self, table_name: str, start_offset: dict | None, table_options: dict[str, str]
    ) -> tuple[Iterator[dict], None]:
        """All rows of a snapshot."""
        records: list[dict[str, Any]] = []
        next_url: str | None = f"/tables/{table_name}/read"
        with _Client(self._service_url, None) as client:
            while next_url:
                answer = client.get_json(next_url, {}, _Waits(60))
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

    def seconds(kind: str, service_url: str, runs: int) -> list[float]:
        times = []
        for _ in range(runs):
            start = time.perf_counter()
            reader = spark.read.format(kind).options(service_url=service_url, spotify=spotify_url)
            table = reader.option("tableName", "tracks").load().toArrow()
            times.append(time.perf_counter() - start)
            ids = {track["id"] for track in table.column("track").to_pylist()}
            if table.num_rows != ROWS or len(ids) != ROWS:
                raise AssertionError(f"{kind}: {table.num_rows} rows, {len(ids)} ids")
        return times

    # Spark itself is slower the first few times.
    seconds("lakeflow_connect", many_url, 2)
    one_by_one = seconds("python_connector", many_url, 2)
    before = statistics.median(one_by_one)
    measured = [
        ("the Python connector's way, one page at a time", one_by_one),
        ("NDJSON, 16 pages in flight", seconds("lakeflow_connect", many_url, 5)),
        ("JSON, 16 pages in flight", seconds("lakeflow_json", many_url, 5)),
        ("NDJSON, every default", seconds("lakeflow_connect", default_url, 1)),
    ]
    print(f"Spark {spark.version}, {ROWS:,} tracks at 80 ms a page\n")
    print("| from Spark to rows | measured | times as fast | runs |\n| --- | --- | --- | --- |")
    for what, times in measured:
        middle = statistics.median(times)
        runs = ", ".join(f"{one:.2f}" for one in times)
        print(f"| {what} | {middle:.2f} s | {before / middle:.1f} | {runs} |")
    spark.stop()


main()
