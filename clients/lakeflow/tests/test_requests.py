"""What reaches the service, and what is made of its answers: options, secrets, waits, problems."""

import json
import logging
import pickle
import traceback
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

import spotify
from conftest import Connect
from fake_service import (
    JSON,
    Answer,
    FakeService,
    json_answer,
    lines,
    offset,
    problem,
    problem_answer,
    row,
    track,
    whole,
)

SECRETS = {
    "api_key": "the-access-key",
    "client_id": "the-client-id",
    "client_secret": "the-client-secret",
    "refresh_token": "the-refresh-token",
    "databricks.connection": "the-uc-connection",
    "password": "the-password",
    "offset": '{"position":1}',
    "format": "csv",
    "tableName": "tracks",
    "externalOptionsAllowList": "time_range,limit,max_pages,connection",
}
DONE = lines(row(0), whole(1))
PLAYS = {"records": [{"played_at": "2026-01-01T00:00:00Z"}], "offset": {"cursor": "2"}}


# ----- options and secrets -----


def test_only_options_of_the_table_reach_the_url(connect: Connect, service: FakeService) -> None:
    service.reads = [DONE]
    options = {**SECRETS, "time_range": "long_term", "limit": "20", "MAX_PAGES": "3"}
    connector = connect(**options)
    list(connector.read_table("tracks", None, options)[0])
    list(connector.read_table("top_tracks", {}, {**options, "connection": "anna"})[0])
    of_tracks, of_top_tracks = (asked.query for asked in service.asked_reads)
    assert of_tracks == {"format": "ndjson", "limit": "20", "max_pages": "3"}
    assert of_top_tracks == {
        "format": "ndjson",
        "time_range": "long_term",
        "limit": "20",
        "max_pages": "3",
        "connection": "anna",
    }


def test_the_connections_own_account_is_read_unless_the_table_names_another(
    connect: Connect, service: FakeService
) -> None:
    service.reads = [DONE]
    connector = connect(connection="bob")
    for options in ({}, {"connection": "anna"}, {"connection": ""}):
        list(connector.read_table("tracks", None, options)[0])
    assert [asked.query["connection"] for asked in service.asked_reads] == ["bob", "anna", "bob"]


def test_no_secret_is_in_a_url_a_log_line_or_an_error(
    connect: Connect, service: FakeService, slept: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.reads = [DONE, problem_answer("internal", 500, False)]
    connector = connect(**SECRETS)
    list(connector.read_table("tracks", None, SECRETS)[0])
    texts = []
    for table, options in (("tracks", SECRETS), ("nope", SECRETS)):
        with pytest.raises((spotify.SpotifyServiceError, ValueError)) as raised:
            connector.read_table(table, None, options)
        texts += traceback.format_exception(raised.value)
    texts += [asked.url for asked in service.asked]
    texts += [record.getMessage() for record in caplog.records]
    assert len(texts) > 10
    for secret in SECRETS.values():
        if secret.startswith("the-"):
            assert not [text for text in texts if secret in text]


def test_the_access_key_goes_into_the_header_alone(connect: Connect, service: FakeService) -> None:
    service.reads = [DONE]
    list(connect(**SECRETS).read_table("tracks", None, SECRETS)[0])
    for asked in service.asked:
        assert asked.headers.pop("Authorization") == "Bearer the-access-key"
        told = json.dumps([asked.url, asked.headers])
        assert "the-" not in told


def test_old_credentials_are_never_sent_and_one_line_says_where_they_belong(
    connect: Connect, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    service.reads = [DONE]
    old = {name: SECRETS[name] for name in ("client_id", "client_secret", "refresh_token")}
    connector = connect(**old)
    list(connector.read_table("tracks", None, old)[0])
    told = [record.getMessage() for record in caplog.records if "SPOTIFY_" in record.getMessage()]
    assert len(told) == 1
    assert "SPOTIFY_CLIENT_ID, SPOTIFY_CLIENT_SECRET, SPOTIFY_REFRESH_TOKEN" in told[0]
    for asked in service.asked:
        assert "Authorization" not in asked.headers
        assert not [value for value in old.values() if value in str(asked)]


def test_credentials_of_a_netrc_file_are_not_sent(
    connect: Connect, service: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password the-password\n")
    monkeypatch.setenv("NETRC", str(netrc))
    connect().list_tables()
    assert "Authorization" not in service.asked[0].headers


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(connect: Connect, service: FakeService, status: int) -> None:
    service.catalogue = Answer(b"", status, {"Location": f"{service.url}/tables/tracks/read"})
    with pytest.raises(spotify.SpotifyServiceError, match=f"answered {status}"):
        connect(api_key="k").list_tables()
    assert len(service.asked) == 1


def test_a_connector_asks_nobody_before_it_is_asked_and_can_be_pickled(
    connect: Connect, service: FakeService
) -> None:
    connector = pickle.loads(pickle.dumps(connect(api_key="k")))
    assert service.asked == []
    assert connector.list_tables() == ["tracks", "top_tracks", "recently_played"]
    connector = pickle.loads(pickle.dumps(connector))
    assert connector.list_tables() == ["tracks", "top_tracks", "recently_played"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "service_url is missing"),
        ({"service_url": "  "}, "service_url is missing"),
        ({"service_url": "spotify.example.com"}, "service_url is no"),
        ({"service_url": "ftp://spotify.example.com"}, "service_url is no"),
        ({"service_url": "http://"}, "service_url is no"),
        ({"service_url": "http://h:99999"}, "service_url is no"),
        ({"service_url": "http://user:the-password@h"}, "service_url holds more"),
        ({"service_url": "http://h?key=the-password"}, "service_url holds more"),
        ({"service_url": "http://h#the-password"}, "service_url holds more"),
        ({"service_url": "http://h", "api_key": "the-password\nX: y"}, "api_key"),
        ({"service_url": "http://h", "api_key": "the-passwörd"}, "api_key"),
        ({"service_url": "http://h", "max_wait_seconds": "soon"}, "max_wait_seconds is 'soon'"),
        ({"service_url": "http://h", "max_wait_seconds": "-1"}, "max_wait_seconds is '-1'"),
        ({"service_url": "http://h", "max_wait_seconds": "nan"}, "max_wait_seconds is 'nan'"),
    ],
)
def test_a_bad_connection_option_is_named_without_its_secret(
    options: dict[str, str], named: str
) -> None:
    with pytest.raises(ValueError, match=named) as raised:
        spotify.SpotifyLakeflowConnect(options)
    assert "the-passw" not in str(raised.value)


def test_an_address_may_have_a_path_and_end_in_a_slash(service: FakeService) -> None:
    service.reads = [DONE]
    connector = spotify.SpotifyLakeflowConnect({"SERVICE_URL": f" {service.url}/ "})
    assert connector.list_tables()
    behind_a_proxy = spotify.SpotifyLakeflowConnect({"service_url": f"{service.url}/spotify/"})
    with pytest.raises(spotify.SpotifyServiceError):
        behind_a_proxy.list_tables()
    assert service.asked[-1].path == "/spotify/tables"


@pytest.mark.parametrize("name", ["nope", "", "tracks/read?x=1", "../health", "TRACKS"])
def test_an_unknown_table_raises_from_the_call_and_is_never_asked_for(
    connect: Connect, service: FakeService, name: str
) -> None:
    connector = connect()
    for call in (
        lambda: connector.read_table(name, None, {}),
        lambda: connector.read_table(name, {}, {}),
        lambda: connector.get_table_schema(name, {}),
        lambda: connector.read_table_metadata(name, {}),
    ):
        with pytest.raises(ValueError, match="there are: tracks, top_tracks, recently_played"):
            call()
    assert {asked.path for asked in service.asked} == {"/tables"}


# ----- plays -----


def test_a_checkpoint_is_sent_whole_as_one_parameter(
    connect: Connect, service: FakeService
) -> None:
    service.reads = [json_answer({**PLAYS, "has_more": False})]
    start = {"cursor": "1795176000123", "recent": "AQ_-"}
    connect().read_table("recently_played", start, {})
    [asked] = service.asked_reads
    assert asked.query.keys() == {"format", "offset"}
    assert json.loads(asked.query["offset"]) == start
    assert asked.headers["Accept"] == "application/json"


def test_the_offset_is_known_before_a_row_is_taken(connect: Connect, service: FakeService) -> None:
    service.reads = [json_answer({**PLAYS, "has_more": False})]
    records, end = connect().read_table("recently_played", None, {})
    assert end == {"cursor": "2"}
    assert list(records) == PLAYS["records"]


def test_an_offset_that_has_not_moved_comes_back_to_the_letter(
    connect: Connect, service: FakeService
) -> None:
    start = {"recent": "AQ", "cursor": "2"}
    service.reads = [json_answer({"records": [], "offset": {"cursor": "2", "recent": "AQ"}})]
    records, end = connect().read_table("recently_played", start, {})
    assert next(records, None) is None
    assert json.dumps(end) == json.dumps(start)


@pytest.mark.parametrize("start", [None, {}])
def test_from_the_start_no_offset_is_sent(
    connect: Connect, service: FakeService, start: dict | None
) -> None:
    service.reads = [json_answer({"records": [], "offset": {}, "has_more": False})]
    records, end = connect().read_table("recently_played", start, {})
    assert (list(records), end) == ([], {})
    assert "offset" not in service.asked_reads[0].query


def test_a_gap_in_the_plays_is_told(
    connect: Connect, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    service.reads = [json_answer({**PLAYS, "gap": {"after": "17", "before": "42"}})]
    connect().read_table("recently_played", {"cursor": "17"}, {})
    assert "plays may have been lost between 17 and 42" in caplog.text


@pytest.mark.parametrize("answer", [{}, {"records": []}, {"records": {}, "offset": {}}])
def test_an_answer_without_records_and_offset_is_none(
    connect: Connect, service: FakeService, answer: dict
) -> None:
    service.reads = [json_answer(answer)]
    with pytest.raises(spotify.SpotifyServiceError, match="not the Spotify connector service"):
        connect().read_table("recently_played", {}, {})


# ----- problems and waits -----


def read(connector: spotify.SpotifyLakeflowConnect, table: str, **options: str) -> list[dict]:
    """The rows of a table, from its start."""
    return list(connector.read_table(table, None, options)[0])


BOTH = pytest.mark.parametrize(
    ("table", "good", "rows"),
    [
        ("tracks", DONE, [track(0)]),
        ("recently_played", json_answer({**PLAYS, "has_more": False}), PLAYS["records"]),
    ],
)


@BOTH
def test_the_longer_of_header_and_document_is_waited(
    connect: Connect,
    service: FakeService,
    slept: list[float],
    table: str,
    good: Answer,
    rows: list,
) -> None:
    service.reads = [
        problem_answer("rate-limited", 429, True, retry_after="5"),
        problem_answer("rate-limited", 429, True, retry_after="5", retry_after_s=9),
        problem_answer("overloaded", 503, True, retry_after="0"),
        good,
    ]
    assert read(connect(), table) == rows
    assert slept == [5, 9, 1]


@BOTH
def test_a_date_to_come_back_at_is_waited_for(
    connect: Connect,
    service: FakeService,
    slept: list[float],
    table: str,
    good: Answer,
    rows: list,
) -> None:
    at = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=90), usegmt=True)
    service.reads = [Answer(b"Too many requests", 429, {"Retry-After": at}), good]
    assert read(connect(), table) == rows
    assert len(slept) == 1 and 80 < slept[0] <= 90


@BOTH
def test_no_wait_is_longer_than_the_user_allows(
    connect: Connect,
    service: FakeService,
    slept: list[float],
    table: str,
    good: Answer,
    rows: list,
) -> None:
    limited = problem_answer("rate-limited", 429, True, retry_after_s=40)
    service.reads = [limited]
    with pytest.raises(spotify.SpotifyServiceError) as raised:
        read(connect(max_wait_seconds="100"), table)
    assert raised.value.code == "rate-limited"
    assert "What rate-limited means, and what to do." in str(raised.value)
    assert slept == [40, 40]
    slept.clear()
    with pytest.raises(spotify.SpotifyServiceError):
        read(connect(), table, max_wait_seconds="0")
    assert slept == []


@BOTH
@pytest.mark.parametrize(
    "bad",
    [
        problem_answer("upstream-error", 502, True),
        Answer(b"<html>Bad gateway</html>", 502, {"Content-Type": "text/html"}),
        Answer(b"", 503, {}),
        Answer(b"{", 200, {"Content-Type": JSON}, end="cut"),
    ],
)
def test_a_failure_that_may_pass_is_retried_a_few_times(
    connect: Connect,
    service: FakeService,
    slept: list[float],
    table: str,
    good: Answer,
    rows: list,
    bad: Answer,
) -> None:
    if bad.status == 200:
        bad = Answer(bad.body, 200, good.headers, end="cut")
    service.reads = [bad, bad, good]
    assert read(connect(), table) == rows
    assert len(slept) == 2 and all(seconds <= 4 for seconds in slept)
    service.reads = [bad]
    service.asked.clear()
    with pytest.raises(spotify.SpotifyServiceError):
        read(connect(), table)
    assert len(service.asked_reads) == 7


@BOTH
@pytest.mark.parametrize("code", ["invalid-offset", "unauthorized", "insufficient-scope"])
def test_a_failure_that_stays_raises_at_once_what_it_says(
    connect: Connect,
    service: FakeService,
    slept: list[float],
    table: str,
    good: Answer,
    rows: list,
    code: str,
) -> None:
    service.reads = [problem_answer(code, 403, False)]
    with pytest.raises(spotify.SpotifyServiceError) as raised:
        read(connect(), table)
    assert raised.value.code == code
    assert f"What {code} means, and what to do." in str(raised.value)
    assert ("Set the option api_key" in str(raised.value)) == (code == "unauthorized")
    assert len(service.asked_reads) == 1


@BOTH
def test_an_answer_of_another_type_is_not_taken_for_rows(
    connect: Connect,
    service: FakeService,
    slept: list[float],
    table: str,
    good: Answer,
    rows: list,
) -> None:
    service.reads = [Answer(good.body, 200, {"Content-Type": "text/html"})]
    with pytest.raises(spotify.SpotifyServiceError, match="text/html") as raised:
        read(connect(), table)
    assert raised.value.code == "not-the-service"
    assert len(service.asked_reads) == 1


def test_another_server_at_the_address_is_told(connect: Connect, service: FakeService) -> None:
    service.catalogue = json_answer({"status": "ok"})
    with pytest.raises(spotify.SpotifyServiceError, match="not the Spotify connector service"):
        connect().list_tables()


def test_nobody_at_the_address_is_told_after_a_few_tries(slept: list[float]) -> None:
    connector = spotify.SpotifyLakeflowConnect({"service_url": "http://127.0.0.1:9"})
    with pytest.raises(spotify.SpotifyServiceError, match="refused") as raised:
        connector.list_tables()
    assert raised.value.code == "unreachable"
    assert len(slept) == 6


def test_waiting_for_spotify_counts_as_waiting(
    connect: Connect,
    service: FakeService,
    slept: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instants = iter(range(0, 10_000, 10))
    monkeypatch.setattr(spotify.time, "monotonic", lambda: float(next(instants)))
    waiting = {"waiting": {"seconds": 30, "code": "rate-limited"}}
    service.reads = [lines(waiting, waiting, row(0), whole(1))]
    assert read(connect(max_wait_seconds="50"), "tracks") == [track(0)]
    service.reads = [lines(waiting, waiting, waiting, waiting, row(0), whole(1))]
    with pytest.raises(spotify.SpotifyServiceError, match="waits for Spotify") as raised:
        read(connect(max_wait_seconds="50"), "tracks")
    assert raised.value.code == "rate-limited"
    assert slept == []


def test_a_line_of_an_unknown_kind_ends_the_read(connect: Connect, service: FakeService) -> None:
    for entry in ({"rows": {}}, {"record": []}, {"end": None}):
        service.reads = [lines(entry)]
        with pytest.raises(spotify.SpotifyServiceError, match="not the Spotify connector service"):
            read(connect(), "tracks")


def test_what_was_left_out_is_told(
    connect: Connect, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    end: dict[str, Any] = whole(1)
    end["end"]["skipped"] = 3
    service.reads = [lines(row(0), end)]
    read(connect(), "tracks")
    assert "3 items without a key were left out" in caplog.text


def test_a_problem_that_ends_an_answer_early_is_told_with_its_code(
    connect: Connect, service: FakeService, slept: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    why = problem("upstream-error", 502, True)
    end = {"offset": offset(1), "has_more": True, "records": 1, "pages": 1, "interrupted": why}
    service.reads = [lines(row(0), {"end": end}), lines(row(1), whole(1))]
    assert read(connect(), "tracks") == [track(0), track(1)]
    assert "What upstream-error means" in caplog.text
