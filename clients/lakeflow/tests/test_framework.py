"""The file's place in the framework: its base class, and the one module that it is merged into."""

import importlib.util
import inspect
import re
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import spotify

SOURCE = Path(spotify.__file__)
INTERFACE = "databricks.labs.community_connector.interface"


def load(name: str) -> ModuleType:
    """The file as a new module."""
    spec = importlib.util.spec_from_file_location(name, SOURCE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, interface: str) -> None:
    """Puts a package with the framework's interface onto the path."""
    package = folder.joinpath(*INTERFACE.split("."))
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(interface)
    monkeypatch.syspath_prepend(str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] == "databricks"]:
        monkeypatch.delitem(sys.modules, name)


ABSTRACT = """
from abc import ABC, abstractmethod

class LakeflowConnect(ABC):
    def __init__(self, options): pass
    @abstractmethod
    def list_tables(self): ...
    @abstractmethod
    def get_table_schema(self, table_name, table_options): ...
    @abstractmethod
    def read_table_metadata(self, table_name, table_options): ...
    @abstractmethod
    def read_table(self, table_name, start_offset, table_options): ...
"""


def test_without_the_framework_the_class_is_a_plain_one() -> None:
    connector = spotify.SpotifyLakeflowConnect({"service_url": "http://h"})
    assert [base.__module__ for base in type(connector).__mro__] == [
        "spotify",
        "spotify",
        "builtins",
    ]


def test_with_the_framework_the_class_is_one_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, ABSTRACT)
    connector = load("spotify_in_framework").SpotifyLakeflowConnect({"service_url": "http://h"})
    base = sys.modules[INTERFACE].LakeflowConnect
    assert isinstance(connector, base)


def test_a_framework_that_can_not_be_imported_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "import a_module_that_is_missing")
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_missing"):
        load("spotify_in_broken_framework")


def test_the_merge_tool_finds_the_class_and_no_import_of_the_framework() -> None:
    text = SOURCE.read_text()
    assert re.findall(
        r"^class\s+(\w+)\s*\([^)]*\bLakeflowConnect\b[^)]*\)\s*:", text, re.MULTILINE
    ) == ["SpotifyLakeflowConnect"]
    assert not re.findall(r"^\s*(?:from|import)\s+databricks", text, re.MULTILINE)
    assert not re.findall(r"^\s*from\s+\.", text, re.MULTILINE)


def test_merged_into_one_function_the_class_inherits_the_one_above_it() -> None:
    # So does the tool: imports to the top, everything else into a function, classes before ours.
    text = SOURCE.read_text()
    body = text[text.index("_log = ") :]
    imports = text[text.index("import json") : text.index("_log = ")]
    merged = (
        imports
        + "def register():\n"
        + textwrap.indent(ABSTRACT + body, "    ")
        + "\n    return LakeflowConnect, SpotifyLakeflowConnect\n"
    )
    scope: dict[str, Any] = {"__name__": "merged"}
    exec(compile(merged, "merged", "exec"), scope)  # noqa: S102
    base, connector = scope["register"]()
    assert issubclass(connector, base)
    assert not inspect.isabstract(connector)
    assert connector({"service_url": "http://h"})


def test_nothing_but_the_standard_library_requests_and_pyspark_is_imported() -> None:
    imports = re.findall(r"^(?:from|import) (\w+)", SOURCE.read_text(), re.MULTILINE)
    assert set(imports) - sys.stdlib_module_names == {"requests", "pyspark"}
