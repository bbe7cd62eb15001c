"""Snapshot tables over a stream: whole or not at all, each key once."""

import json
from typing import Any

import pytest

import spotify
from conftest import Connect
from fake_service import (
    Answer,
    FakeService,
    checkpoint,
    lines,
    more,
    offset,
    problem,
    problem_answer,
    row,
    track,
    whole,
)

# Three pages of two rows.
STREAM = (
    [row(0), row(1), checkpoint(2, 2)]
    + [row(2), row(3), checkpoint(4, 2)]
    + [row(4), row(5), whole(6)]
)
ALL = [track(n) for n in range(6)]


def read(connector: spotify.SpotifyLakeflowConnect, **options: Any) -> list[dict]:
    """The rows of the saved tracks, as a batch read gets them."""
    records, end = connector.read_table("tracks", None, options)
    assert end is None
    return list(records)


def rest_from(position: int) -> Answer:
    """What the service streams from an offset on."""
    rest = [row(n) for n in range(position, 6)]
    return lines(*rest, whole(len(rest)))


def resume(service: FakeService) -> None:
    """The service goes on from whatever offset it is sent."""
    answer = service.answer

    def from_offset(asked: Any) -> Answer:
        sent = asked.query.get("offset")
        if sent is None or not asked.path.endswith("/read") or len(service.asked_reads) == 0:
            return answer(asked)
        service.asked.append(asked)
        return rest_from(json.loads(sent)["position"])

    service.answer = from_offset  # type: ignore[method-assign]


def test_a_table_is_read_in_one_stream(connect: Connect, service: FakeService) -> None:
    service.reads = [lines(*STREAM)]
    assert read(connect()) == ALL
    [asked] = service.asked_reads
    assert asked.query == {"format": "ndjson"}
    assert asked.headers["Accept"] == "application/x-ndjson"


BYTES = lines(*STREAM).body
CUTS = sorted(
    {at for at, byte in enumerate(BYTES) if byte == 10}  # before a line's end,
    | {at + 1 for at, byte in enumerate(BYTES[:-1]) if byte == 10}  # behind it,
    | {at + 20 for at, byte in enumerate(BYTES[:-60]) if byte == 10}  # within the next line,
    | {0, 20}
)


@pytest.mark.parametrize("how", ["cut", "closed"])
@pytest.mark.parametrize("at", CUTS)
def test_a_stream_that_breaks_off_anywhere_is_gone_on_with(
    connect: Connect, service: FakeService, slept: list[float], at: int, how: str
) -> None:
    # A line without its end counts only where the connection was closed as if all were well.
    known = BYTES[:at] if how == "closed" else BYTES[: BYTES.rfind(b"\n", 0, at) + 1]
    came = [json.loads(line) for line in known.splitlines() if line.endswith(b"}}")]
    reached = [entry["checkpoint"]["offset"] for entry in came if "checkpoint" in entry]
    is_whole = any("end" in entry for entry in came)
    from_start = lines(*STREAM)
    service.reads = [Answer(BYTES[:at], end=how), from_start]
    resume(service)
    assert read(connect()) == ALL
    assert len(service.asked_reads) == (1 if is_whole else 2)
    if not is_whole:
        sent = service.asked_reads[1].query.get("offset")
        assert (sent and json.loads(sent)) == (reached[-1] if reached else None)
        assert len(slept) == 1


def test_a_stream_in_which_nothing_comes_any_more_is_gone_on_with(
    connect: Connect,
    service: FakeService,
    slept: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spotify, "_STREAM_TIMEOUT", (1, 0.2))
    service.reads = [Answer(lines(*STREAM[:4]).body, end="stalled"), rest_from(2)]
    assert read(connect()) == ALL
    assert json.loads(service.asked_reads[1].query["offset"]) == offset(2)


@pytest.mark.parametrize("lost", [0, 1, 3, 6])
def test_a_line_that_got_lost_on_the_way_is_not_missing(
    connect: Connect, service: FakeService, slept: list[float], lost: int
) -> None:
    service.reads = [lines(*STREAM[:lost], *STREAM[lost + 1 :]), lines(*STREAM)]
    resume(service)
    assert read(connect()) == ALL


def test_a_broken_line_is_read_again(
    connect: Connect, service: FakeService, slept: list[float]
) -> None:
    broken = lines(*STREAM).body.replace(b'{"record": {"added_at"', b'{"record": {"add\xff', 4)
    service.reads = [Answer(broken), lines(*STREAM)]
    assert read(connect()) == ALL


def test_where_there_is_more_the_read_goes_on(connect: Connect, service: FakeService) -> None:
    service.reads = [lines(row(0), row(1), more(2, 2)), rest_from(2)]
    assert read(connect(), max_pages="1") == ALL
    first, second = service.asked_reads
    assert first.query == {"format": "ndjson", "max_pages": "1"}
    assert json.loads(second.query.pop("offset")) == offset(2)
    assert second.query == first.query


def test_a_read_that_does_not_move_on_ends(
    connect: Connect, service: FakeService, slept: list[float]
) -> None:
    service.reads = [lines(row(0), more(1, 1)), lines(more(1, 0))]
    with pytest.raises(spotify.SpotifyServiceError, match="does not move on"):
        read(connect())
    assert len(service.asked_reads) == 1 + 7


def test_an_interrupted_stream_is_gone_on_with_when_it_says(
    connect: Connect, service: FakeService, slept: list[float]
) -> None:
    why = problem("rate-limited", 429, True, retry_after_s=7)
    service.reads = [
        lines(row(0), row(1), more(2, 2, interrupted=why, retry_after_s=7)),
        rest_from(2),
    ]
    assert read(connect()) == ALL
    assert slept == [7]


def test_an_interruption_beyond_the_limit_raises_and_gives_no_part(
    connect: Connect, service: FakeService, slept: list[float]
) -> None:
    why = problem("quota-exceeded", 429, True, retry_after_s=48_925)
    service.reads = [lines(row(0), row(1), more(2, 2, interrupted=why, retry_after_s=48_925))]
    with pytest.raises(spotify.SpotifyServiceError, match="What quota-exceeded means") as raised:
        read(connect())
    assert raised.value.code == "quota-exceeded"
    assert raised.value.retry_after_s == 48_925
    assert "max_wait_seconds" in str(raised.value)
    assert "req-1" in str(raised.value)
    assert slept == []


def test_an_error_line_that_may_pass_is_retried_from_the_last_checkpoint(
    connect: Connect, service: FakeService, slept: list[float]
) -> None:
    error = {"error": problem("upstream-timeout", 504, True)}
    service.reads = [lines(*STREAM[:4], error), rest_from(2)]
    assert read(connect()) == ALL
    assert json.loads(service.asked_reads[1].query["offset"]) == offset(2)


def test_an_error_line_that_stays_raises_what_it_says(
    connect: Connect, service: FakeService, slept: list[float]
) -> None:
    error = {"error": problem("reauthorisation-required", 424, False)}
    service.reads = [lines(*STREAM[:4], error)]
    with pytest.raises(spotify.SpotifyServiceError) as raised:
        read(connect())
    assert raised.value.code == "reauthorisation-required"
    assert "What reauthorisation-required means, and what to do." in str(raised.value)
    assert len(service.asked_reads) == 1


@pytest.mark.parametrize("as_line", [True, False])
def test_a_list_that_changed_too_much_is_read_from_its_start_without_the_rows_so_far(
    connect: Connect, service: FakeService, slept: list[float], as_line: bool
) -> None:
    changed = problem("snapshot-changed", 409, False, restart=True)
    service.reads = [lines(row(90), row(91), checkpoint(2, 2), row(92), more(3, 3))]
    if as_line:
        service.reads += [lines(row(93), {"error": changed})]
    else:
        service.reads += [problem_answer("snapshot-changed", 409, False, restart=True)]
    service.reads += [lines(*STREAM)]
    assert read(connect()) == ALL
    assert "offset" not in service.asked_reads[2].query


def test_a_list_that_keeps_changing_raises(
    connect: Connect, service: FakeService, slept: list[float]
) -> None:
    service.reads = [problem_answer("snapshot-changed", 409, False, restart=True)]
    with pytest.raises(spotify.SpotifyServiceError, match="What snapshot-changed means"):
        read(connect())
    assert len(service.asked_reads) == 1 + 3


def test_each_key_is_given_once(connect: Connect, service: FakeService) -> None:
    service.reads = [
        lines(row(0), row(1), checkpoint(2, 2), row(2), more(3, 3)),
        lines(row(1), row(3), checkpoint(4, 2), row(0), row(4), row(5), whole(5)),
    ]
    assert read(connect()) == ALL


def test_rows_that_do_not_fit_into_memory_come_in_order(
    connect: Connect, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spotify, "_BYTES_IN_MEMORY", len(BYTES) // 3)
    service.reads = [lines(*STREAM)]
    assert read(connect()) == ALL


def test_the_rows_are_all_there_before_the_first_is_given(
    connect: Connect, service: FakeService
) -> None:
    service.reads = [lines(*STREAM[:-1], {"error": problem("internal", 500, False)})]
    with pytest.raises(spotify.SpotifyServiceError):
        connect().read_table("tracks", None, {})


def test_a_stream_read_gives_the_table_and_a_marker_and_behind_it_nothing(
    connect: Connect, service: FakeService
) -> None:
    service.reads = [lines(*STREAM)]
    connector = connect()
    records, end = connector.read_table("tracks", {}, {})
    assert list(records) == ALL
    assert end == {"snapshot_done": True}
    records, again = connector.read_table("tracks", end, {})
    assert next(records, None) is None
    assert json.dumps(again) == json.dumps(end)
    assert len(service.asked_reads) == 1


def test_an_offset_that_a_snapshot_does_not_have_is_refused(
    connect: Connect, service: FakeService
) -> None:
    with pytest.raises(ValueError, match="full refresh"):
        connect().read_table("tracks", {"cursor": "1"}, {})
    assert service.asked_reads == []
