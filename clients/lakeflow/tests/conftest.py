"""What tests share: a scripted service, a real one over a simulated Spotify, one Spark session."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import spotify
from fake_service import FakeService, serve

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent

Connect = Callable[..., spotify.SpotifyLakeflowConnect]


@pytest.fixture
def service() -> Iterator[FakeService]:
    """A service that answers by a script."""
    with serve() as fake:
        yield fake


@pytest.fixture
def connect(service: FakeService) -> Connect:
    """Makes a connector for the scripted service."""

    def make(**options: Any) -> spotify.SpotifyLakeflowConnect:
        return spotify.SpotifyLakeflowConnect({"service_url": service.url, **options})

    return make


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the connector has slept, which pass at once."""
    seconds: list[float] = []
    monkeypatch.setattr(spotify.time, "sleep", seconds.append)
    return seconds


class Simulation:
    """A real service over a simulated Spotify, which does as it is told."""

    def __init__(self, control: str) -> None:
        self._control = control
        self.service: str = self.tell("start")

    def tell(self, do: str, **command: Any) -> Any:
        """Sends a command; see test/lakeflow/server.ts."""
        answer = requests.post(self._control, json={"do": do, **command}, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def reads(self) -> list[str]:
        """The URLs of the reads that the service was asked for."""
        return [one["url"] for one in self.tell("asked") if "/read" in one["url"]]


@pytest.fixture(scope="session")
def control() -> Iterator[str]:
    """The address of the Node process that runs service and Spotify; it ends with its stdin."""
    node = ROOT / "node_modules" / ".bin" / "node"
    process = subprocess.Popen(
        [str(node), str(ROOT / "test" / "lakeflow" / "server.ts")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(timeout=30)


@pytest.fixture
def simulation(control: str) -> Simulation:
    """A new service over a simulated Spotify with the default library, which behaves."""
    return Simulation(control)


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """The one Spark session, with the data source registered."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.fail("Spark needs Java 17 or later, and there is none on the PATH")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), str(HERE)])
    from lakeflow_source import LakeflowSource
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "1")
        # The jobs are tiny: what it takes to compile them would be most of the time.
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    session.dataSource.register(LakeflowSource)
    yield session
    session.stop()
