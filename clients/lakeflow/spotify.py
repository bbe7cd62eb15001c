"""The tables of a Spotify account for Databricks Lakeflow, read from the Spotify connector service.

One file for the Lakeflow community connectors framework: it asks the service over HTTP for names,
schemas and rows, and holds no credential of Spotify's. The service reads Spotify, keeps to its rate
limits and stores the consents; this class does what a Spark reader needs on top of it:

- a snapshot table is given whole or not at all: its rows are held back in a temporary file until
  the service has said that the table is at its end;
- a read that is cut off goes on from its last checkpoint, and one whose list has changed too much
  starts over;
- what the service calls retryable is tried again, within ``max_wait_seconds``.

README.md beside this file has the options, a pipeline spec and what to do when something fails.
"""

import json
import logging
import random
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import IO, Any
from urllib.parse import quote, urlsplit

import requests
from pyspark.sql.types import StructType

_log = logging.getLogger("spotify_lakeflow_connect")

# The offset of a snapshot table that is read as a stream (APPEND_ONLY) once all of it was given.
_SNAPSHOT_DONE = {"snapshot_done": True}

# Credentials of the connector that this one takes the place of. They belong into the service.
_OLD_CREDENTIALS = ("client_id", "client_secret", "refresh_token")

_JSON_TYPE = "application/json"
_NDJSON_TYPE = "application/x-ndjson"

# Seconds to connect, and seconds without a byte. A stream that waits for Spotify has a line at
# least every 15 s; a JSON answer comes as a whole, after all waits and attempts of the service.
_STREAM_TIMEOUT = (10, 60)
_JSON_TIMEOUT = (10, 120)

_DEFAULT_MAX_WAIT_SECONDS = 1800.0
# Failures in a row, without a row in between, where the service does not say when to come back.
_MOST_FAILURES = 6
_LONGEST_BACKOFF_SECONDS = 30.0
# How often a snapshot is begun again because its list has changed too much.
_MOST_RESTARTS = 3
# So many bytes of a snapshot's JSON are held in memory (where they take about six times as much,
# and need not be read again), the rest in a temporary file.
_BYTES_IN_MEMORY = 24 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


def _framework_class() -> type:
    """The framework's ``LakeflowConnect`` where it is installed, elsewhere a plain class."""

    class PlainConnect:
        """What there is to inherit where the framework is not installed: nothing."""

        def __init__(self, options: dict[str, str]) -> None:
            pass

    interface = "databricks.labs.community_connector.interface"
    try:
        return import_module(interface).LakeflowConnect
    except ModuleNotFoundError as error:
        # Only the framework itself may be missing; what it fails to import is an error to be seen.
        if error.name is None or not f"{interface}.".startswith(f"{error.name}."):
            raise
        return PlainConnect


# The framework's merge tool puts its own class above these lines, in one scope with them, and
# refuses a file that imports it in any other place than at its top.
try:
    LakeflowConnect  # type: ignore[has-type, used-before-def] # noqa: B018
except NameError:
    LakeflowConnect = _framework_class()


class SpotifyServiceError(RuntimeError):
    """The service could not be asked, or answered with a problem. The message says what to do.

    ``code`` is the problem's (``unreachable``, ``cut-off`` and ``not-the-service`` are this file's
    own), ``retryable`` whether the same request may succeed later, and ``retry_after_s`` when.
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        retryable: bool = False,
        retry_after_s: float | None = None,
        request_id: str | None = None,
    ) -> None:
        named = f"{code}, request {request_id}" if request_id else code
        super().__init__(f"{detail} ({named})")
        self.detail = detail
        self.code = code
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.request_id = request_id


class _Waits:
    """How long a read may still wait, and how often it may still fail."""

    def __init__(self, most_seconds: float) -> None:
        self._most_seconds = most_seconds
        self._left_seconds = most_seconds
        self._failures = 0

    def progress(self) -> None:
        """Something new has come: failures are counted afresh. Waiting is not."""
        self._failures = 0

    def before_retry(self, error: SpotifyServiceError) -> None:
        """Sleeps until it makes sense to try again; raises the error where it makes none."""
        if not error.retryable:
            raise error
        self._failures += 1
        seconds = error.retry_after_s
        if seconds is None:
            if self._failures > _MOST_FAILURES:
                raise error
            longest = min(_LONGEST_BACKOFF_SECONDS, 2.0**self._failures)
            seconds = random.uniform(0, longest)
        else:
            seconds = max(1.0, seconds)
        if seconds > self._left_seconds:
            raise self._too_long(error, seconds) from None
        _log.info("trying again in %.1f s: %s", seconds, error)
        time.sleep(seconds)
        self.spend(seconds)

    def spend(self, seconds: float) -> None:
        """Counts time that has been waited."""
        self._left_seconds = max(0.0, self._left_seconds - seconds)

    def check(self, error: SpotifyServiceError, seconds: float) -> None:
        """Raises the error where a wait of so many seconds is longer than what is left."""
        if seconds > self._left_seconds:
            raise self._too_long(error, seconds) from None

    def _too_long(self, error: SpotifyServiceError, seconds: float) -> SpotifyServiceError:
        return SpotifyServiceError(
            f"{error.detail} The next try would be in {seconds:.0f} s, and of the "
            f"{self._most_seconds:g} s of max_wait_seconds {self._left_seconds:.0f} are left: run "
            "it again later, or raise max_wait_seconds.",
            code=error.code,
            retryable=True,
            retry_after_s=seconds,
            request_id=error.request_id,
        )


class _Rows:
    """Rows of a table that are held back until all of it is there: each key once, the first."""

    def __init__(self, primary_keys: list[str]) -> None:
        self._paths = [path.split(".") for path in primary_keys]
        self._pending: list[tuple[bytes, dict[str, Any]]] = []
        self._keys: set[tuple[Any, ...]] = set()
        self._held: list[dict[str, Any]] = []
        self._bytes_held = 0
        self._file: IO[bytes] | None = None

    @property
    def pending(self) -> int:
        """How many rows there are behind the last checkpoint."""
        return len(self._pending)

    def add(self, line: bytes, record: dict[str, Any]) -> None:
        """Takes a row, and the line that it came in, which a cut may still undo."""
        self._pending.append((line, record))

    def keep(self) -> None:
        """A checkpoint: what was added is here to stay."""
        for line, record in self._pending:
            key = tuple(_value_at(record, path) for path in self._paths)
            if key in self._keys:
                continue
            self._keys.add(key)
            if self._bytes_held + len(line) <= _BYTES_IN_MEMORY:
                self._bytes_held += len(line)
                self._held.append(record)
            else:
                self._bytes_held = _BYTES_IN_MEMORY
                self._file = self._file or tempfile.TemporaryFile()
                self._file.write(line + b"\n")
        self._pending.clear()

    def drop(self) -> None:
        """A cut: what was added since the last checkpoint will come again."""
        self._pending.clear()

    def give(self) -> Iterator[dict[str, Any]]:
        """The rows, in the order in which they came."""
        yield from self._held
        if self._file is not None:
            with self._file as file:
                file.seek(0)
                for line in file:
                    yield json.loads(line)["record"]


class _Client:
    """GET requests to the service: its answers, or what is wrong with them as errors."""

    def __init__(self, service_url: str, api_key: str | None) -> None:
        self._url = service_url
        self._session = requests.Session()
        # Set even without a key: else requests would send what a .netrc file has for the host.
        self._session.auth = _Authorization(api_key)

    def __enter__(self) -> "_Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get_json(self, path: str, params: dict[str, str], waits: _Waits) -> dict[str, Any]:
        """A JSON object, after as many attempts as it takes and ``waits`` allows."""
        while True:
            try:
                with self._get(path, params, _JSON_TYPE, _JSON_TIMEOUT) as response:
                    answer = _object(response.content)
                    if answer is None:
                        raise _cut_off(path, "the answer is no whole JSON object")
                    return answer
            except requests.RequestException as error:
                waits.before_retry(self._unreachable(error))
            except SpotifyServiceError as error:
                waits.before_retry(error)

    def get_lines(
        self, path: str, params: dict[str, str]
    ) -> Generator[tuple[bytes, dict[str, Any]], None, None]:
        """The lines of one stream, each with the object that it is. One attempt."""
        try:
            with self._get(path, params, _NDJSON_TYPE, _STREAM_TIMEOUT) as response:
                for line in response.iter_lines(chunk_size=_CHUNK_BYTES):
                    if line:
                        value = _object(line)
                        if value is None or len(value) != 1:
                            raise _cut_off(path, "a line of the stream is broken")
                        yield line, value
        except requests.RequestException as error:
            raise self._unreachable(error) from error

    def _get(
        self, path: str, params: dict[str, str], media_type: str, timeout: tuple[int, int]
    ) -> requests.Response:
        response = self._session.get(
            f"{self._url}{path}",
            params=params,
            headers={"Accept": media_type},
            timeout=timeout,
            stream=True,
            # The key is for this host alone, and a redirect is no answer of the service.
            allow_redirects=False,
        )
        try:
            _check(response, media_type)
        except BaseException:
            response.close()
            raise
        return response

    def _unreachable(self, error: requests.RequestException) -> SpotifyServiceError:
        return SpotifyServiceError(
            f"The service at {self._url} can't be reached, or broke off ({_reason(error)}). Is it "
            "running, is service_url right, and may this cluster reach it?",
            code="unreachable",
            # A request that can't even be made is wrong for good.
            retryable=not isinstance(error, ValueError),
        )


class _Authorization(requests.auth.AuthBase):
    """The access key, if there is one, for the header alone."""

    def __init__(self, api_key: str | None) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._api_key is not None:
            request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request


class SpotifyLakeflowConnect(LakeflowConnect):  # type: ignore[misc, valid-type]
    """The tables of a Spotify account, as the Spotify connector service gives them.

    Connection options: ``service_url`` (required), ``api_key``, ``connection``,
    ``max_wait_seconds``. Table options: those that the service lists for a table (``time_range``,
    ``limit``, ``max_pages``), and ``connection``. Nothing else that is set on the reader, secrets
    among it, is ever sent.
    """

    def __init__(self, options: dict[str, str]) -> None:
        """Checks the options; asks nobody. Raises ``ValueError`` where one is missing or wrong."""
        super().__init__(options)
        given = _lower(options)
        self._service_url = _service_url(given)
        self._api_key = _api_key(given)
        self._connection = given.get("connection") or None
        self._max_wait_seconds = _max_wait_seconds(given)
        self._tables: dict[str, dict[str, Any]] | None = None
        old = [name for name in _OLD_CREDENTIALS if given.get(name)]
        if old:
            _log.warning(
                "the connection still holds %s, which are not used: they belong into the "
                "service's environment, as %s; remove them from the connection",
                ", ".join(old),
                ", ".join(f"SPOTIFY_{name.upper()}" for name in old),
            )

    def list_tables(self) -> list[str]:
        """The names of all tables."""
        with self._client() as client:
            return list(self._catalogue(client, self._waits()))

    def get_table_schema(self, table_name: str, table_options: dict[str, str]) -> StructType:
        """The schema of a table's rows. Raises ``ValueError`` for an unknown table."""
        return StructType.fromJson(self._ask_about(table_name, "schema"))

    def read_table_metadata(self, table_name: str, table_options: dict[str, str]) -> dict:
        """``primary_keys``, ``ingestion_type`` and, for cdc, ``cursor_field``.

        Raises ``ValueError`` for an unknown table.
        """
        return self._ask_about(table_name, "metadata")

    def read_table(
        self, table_name: str, start_offset: dict | None, table_options: dict[str, str]
    ) -> tuple[Iterator[dict], dict | None]:
        """The rows from an offset on, and the offset behind them.

        A snapshot table is read whole, and its rows are all there before the first is given. Its
        offset is None for a batch (``start_offset`` None) and a marker for a stream (``{}``): from
        the marker on there are no rows. The plays go on from the checkpoint. Raises ``ValueError``
        for an unknown table or an offset that is none of the table's, ``SpotifyServiceError`` where
        it can't be read.
        """
        given = _lower(table_options or {})
        waits = self._waits(given)
        with self._client() as client:
            table = self._table(client, table_name, waits)
            path, params = _read_path(table_name), self._params(table, given)
            if table["ingestion_type"] != "snapshot":
                return _read_changes(client, path, params, start_offset, waits)
            if start_offset and start_offset.get("snapshot_done") is True:
                return iter(()), start_offset
            if start_offset:
                raise ValueError(
                    f"{table_name} is a snapshot and has no offset {json.dumps(start_offset)}: it "
                    f"is read whole, from {{}}, and then stands at {json.dumps(_SNAPSHOT_DONE)}. "
                    "Start the stream with a new checkpoint (a full refresh)."
                )
            rows = _SnapshotRead(client, path, params, table["primary_keys"], waits).rows()
            return rows.give(), None if start_offset is None else dict(_SNAPSHOT_DONE)

    def _client(self) -> _Client:
        return _Client(self._service_url, self._api_key)

    def _waits(self, given: Mapping[str, str] | None = None) -> _Waits:
        return _Waits(_max_wait_seconds(given or {}, self._max_wait_seconds))

    def _catalogue(self, client: _Client, waits: _Waits) -> dict[str, dict[str, Any]]:
        """What the service says of its tables, by name. It is asked once."""
        if self._tables is None:
            tables = client.get_json("/tables", {}, waits).get("tables")
            if not isinstance(tables, list):
                raise _not_the_service("/tables gave no list of tables")
            self._tables = {table["name"]: table for table in tables}
        return self._tables

    def _table(self, client: _Client, name: str, waits: _Waits) -> dict[str, Any]:
        tables = self._catalogue(client, waits)
        if name not in tables:
            raise ValueError(f"There is no table {name!r}; there are: {', '.join(tables)}.")
        return tables[name]

    def _ask_about(self, table_name: str, what: str) -> dict[str, Any]:
        waits = self._waits()
        with self._client() as client:
            self._table(client, table_name, waits)
            return client.get_json(f"/tables/{quote(table_name, safe='')}/{what}", {}, waits)

    def _params(self, table: dict[str, Any], given: Mapping[str, str]) -> dict[str, str]:
        """What goes into the URL of a read: options of the table, and the connection's name."""
        params = {name: str(given[name]) for name in table["options"] if name in given}
        connection = given.get("connection") or self._connection
        if connection:
            params["connection"] = connection
        ignored = sorted(set(given) - set(params))
        if ignored:
            _log.debug("not sent, as %s has no such options: %s", table["name"], ignored)
        return params


def _read_changes(
    client: _Client, path: str, params: dict[str, str], start: dict | None, waits: _Waits
) -> tuple[Iterator[dict], dict]:
    """The rows behind a checkpoint, and the next one, from one JSON answer."""
    answer = client.get_json(path, {**params, "format": "json", **_offset(start)}, waits)
    records, offset = answer.get("records"), answer.get("offset")
    if not isinstance(records, list) or not isinstance(offset, dict):
        raise _not_the_service(f"{path} gave no records with an offset")
    if answer.get("gap"):
        _log.warning(
            "plays may have been lost between %(after)s and %(before)s (Unix ms): Spotify holds "
            "the last 50 only, so run the pipeline more often",
            answer["gap"],
        )
    _tell_of_end(path, answer)
    # Spark compares the text of offsets, so one that has not moved is given back as it came.
    return iter(records), start if start is not None and offset == start else offset


class _SnapshotRead:
    """Reads a snapshot table to its end, over as many streams as that takes."""

    def __init__(
        self,
        client: _Client,
        path: str,
        params: dict[str, str],
        primary_keys: list[str],
        waits: _Waits,
    ) -> None:
        self._client = client
        self._path = path
        self._params = {**params, "format": "ndjson"}
        self._waits = waits
        self._primary_keys = primary_keys
        self._rows = _Rows(primary_keys)
        self._offset: dict | None = None

    def rows(self) -> _Rows:
        """All rows of the table. Raises ``SpotifyServiceError`` where they can't be had."""
        restarts = 0
        while True:
            try:
                if self._read_stream():
                    return self._rows
            except SpotifyServiceError as error:
                if error.code != "snapshot-changed":
                    # What came behind the last checkpoint comes again.
                    self._rows.drop()
                    self._waits.before_retry(error)
                    continue
                restarts += 1
                if restarts > _MOST_RESTARTS:
                    raise
                _log.warning("%s is read from its start again: %s", self._path, error)
                self._rows = _Rows(self._primary_keys)
                self._offset = None

    def _read_stream(self) -> bool:
        """Reads one stream from where the last one ended. Gives whether the table is whole."""
        sent = self._offset
        params = {**self._params, **_offset(sent)}
        records = 0
        waiting_since: float | None = None
        with closing(self._client.get_lines(self._path, params)) as lines:
            for line, entry in lines:
                [(kind, value)] = entry.items()
                if waiting_since is not None:
                    self._waits.spend(time.monotonic() - waiting_since)
                    waiting_since = None
                if kind == "record" and isinstance(value, dict):
                    self._rows.add(line, value)
                    records += 1
                elif not isinstance(value, dict):
                    raise _not_the_service(f"{self._path} has a line that is none of its lines")
                elif kind == "checkpoint":
                    self._expect(self._rows.pending, value.get("records"))
                    self._move_to(value.get("offset"))
                elif kind == "waiting":
                    self._check_wait(value)
                    waiting_since = time.monotonic()
                elif kind == "end":
                    self._expect(records, value.get("records"))
                    return self._end(value, sent)
                elif kind == "error":
                    raise _problem(value)
                else:
                    raise _not_the_service(f"{self._path} has a line of an unknown kind")
        raise _cut_off(self._path, "the stream broke off before its end")

    def _end(self, end: dict[str, Any], sent: dict | None) -> bool:
        """What the last line says: whether the table is whole, and else where and when to go on."""
        _tell_of_end(self._path, end)
        if end.get("has_more") is False:
            self._rows.keep()
            return True
        self._move_to(end.get("offset"))
        if isinstance(end.get("interrupted"), dict):
            raise _problem(end["interrupted"], end.get("retry_after_s"))
        if self._offset == sent:
            raise _cut_off(self._path, "there is more, and the read does not move on")
        return False

    def _move_to(self, offset: object) -> None:
        if not isinstance(offset, dict):
            raise _not_the_service(f"{self._path} gave no offset to go on from")
        if self._rows.pending > 0 or offset != self._offset:
            self._waits.progress()
        self._rows.keep()
        self._offset = offset

    def _expect(self, came: int, told: object) -> None:
        """Lines that were lost on the way must not be missing in silence."""
        if came != told:
            raise _cut_off(self._path, f"{came} rows came, of {told}")

    def _check_wait(self, waiting: dict[str, Any]) -> None:
        seconds = _seconds(waiting.get("seconds")) or 0.0
        code = str(waiting.get("code", "rate-limited"))
        detail = f"{self._path}: the service waits for Spotify"
        self._waits.check(SpotifyServiceError(detail, code=code, retryable=True), seconds)


def _lower(options: Mapping[str, str]) -> dict[str, str]:
    """The options that are set, with names in lower case, as Spark gives them."""
    return {name.lower(): value for name, value in options.items() if value is not None}


def _service_url(given: Mapping[str, str]) -> str:
    url = str(given.get("service_url") or "").strip().rstrip("/")
    allowed = "the address of the Spotify connector service, such as https://spotify.example.com"
    if not url:
        raise ValueError(f"The option service_url is missing: set it to {allowed}.")
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        is_good = False
    if not is_good:
        raise ValueError(f"The option service_url is no http or https URL: set it to {allowed}.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            "The option service_url holds more than an address (a user, a query or a fragment): "
            f"set it to {allowed}, and a key as api_key."
        )
    return url


def _api_key(given: Mapping[str, str]) -> str | None:
    key = str(given.get("api_key") or "").strip()
    # What an HTTP header does not take would be told in an error's text, the key with it.
    if not all("!" <= character <= "~" for character in key):
        raise ValueError("The option api_key holds characters that no access key has.")
    return key or None


def _max_wait_seconds(
    given: Mapping[str, str], default: float = _DEFAULT_MAX_WAIT_SECONDS
) -> float:
    if "max_wait_seconds" not in given:
        return default
    seconds = _seconds(given["max_wait_seconds"])
    if seconds is None:
        raise ValueError(
            f"The option max_wait_seconds is {given['max_wait_seconds']!r}; allowed: a number of "
            "seconds from 0."
        )
    return seconds


def _seconds(value: object) -> float | None:
    """A number of seconds from 0, from a number or its text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _read_path(table_name: str) -> str:
    return f"/tables/{quote(table_name, safe='')}/read"


def _offset(offset: dict | None) -> dict[str, str]:
    """The parameter that says where to go on: the whole object, as JSON."""
    return {"offset": json.dumps(offset, separators=(",", ":"))} if offset else {}


def _value_at(record: dict[str, Any], path: list[str]) -> Any:
    """The value at a path into structs; None where there is none."""
    value: Any = record
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _object(text: bytes) -> dict[str, Any] | None:
    """The JSON object that a text is; None for any other text."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _check(response: requests.Response, media_type: str) -> None:
    """Raises what is wrong with an answer, from its status and headers."""
    given_type = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    status = response.status_code
    if status == 200 and given_type == media_type:
        return
    if status < 400:
        raise _not_the_service(f"it answered {status} with {given_type or 'no'} content")
    header = _retry_after_s(response.headers.get("Retry-After"))
    problem = _object(response.content)
    if problem is not None and isinstance(problem.get("code"), str):
        raise _problem(problem, header)
    raise SpotifyServiceError(
        f"Something before the service answered {status} ({given_type or 'no'} content): a proxy, "
        "a load balancer or a firewall",
        code=f"http-{status}",
        retryable=status in (408, 429) or status >= 500,
        retry_after_s=header,
    )


def _problem(problem: dict[str, Any], retry_after_s: object = None) -> SpotifyServiceError:
    """The error that a problem document is."""
    told = [_seconds(retry_after_s), _seconds(problem.get("retry_after_s"))]
    code = str(problem.get("code"))
    detail = str(problem.get("detail") or problem.get("title") or "The service has a problem.")
    request_id = problem.get("request_id")
    return SpotifyServiceError(
        f"{detail} Set the option api_key." if code == "unauthorized" else detail,
        code=code,
        retryable=problem.get("retryable") is True,
        retry_after_s=max((seconds for seconds in told if seconds is not None), default=None),
        request_id=str(request_id) if request_id else None,
    )


def _cut_off(path: str, why: str) -> SpotifyServiceError:
    return SpotifyServiceError(f"{path}: {why}.", code="cut-off", retryable=True)


def _not_the_service(why: str) -> SpotifyServiceError:
    return SpotifyServiceError(
        f"What answers at service_url is not the Spotify connector service: {why}. Check the "
        "address, and whether a proxy or a login page stands before it.",
        code="not-the-service",
    )


def _retry_after_s(header: str | None) -> float | None:
    """A ``Retry-After`` in seconds from now: a number, or the date that a proxy may send."""
    seconds = _seconds(header)
    if seconds is not None or header is None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _reason(error: BaseException) -> str:
    """Why a connection failed, in the operating system's words; never a URL or a header."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return f"{type(error).__name__}: {cause.strerror}"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def _tell_of_end(path: str, end: dict[str, Any]) -> None:
    """Logs what an answer says beside its rows."""
    if end.get("skipped"):
        _log.warning("%s: %s items without a key were left out", path, end["skipped"])
    if isinstance(end.get("interrupted"), dict):
        _log.info("%s ended early: %s", path, end["interrupted"].get("detail"))
