"""A service that answers by a script, and remembers what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

NDJSON = "application/x-ndjson; charset=utf-8"
JSON = "application/json; charset=utf-8"
PROBLEM = "application/problem+json"

TABLES = [
    {
        "name": "tracks",
        "ingestion_type": "snapshot",
        "primary_keys": ["track.id"],
        "cursor_field": None,
        "options": ["limit", "max_pages"],
    },
    {
        "name": "top_tracks",
        "ingestion_type": "snapshot",
        "primary_keys": ["id", "time_range"],
        "cursor_field": None,
        "options": ["time_range", "limit", "max_pages"],
    },
    {
        "name": "recently_played",
        "ingestion_type": "cdc",
        "primary_keys": ["played_at", "track.id"],
        "cursor_field": "played_at",
        "options": ["limit", "max_pages"],
    },
]


@dataclass
class Answer:
    """One answer. `end`: `whole`, or how it breaks off: `cut`, `closed` as if all were well, or
    `stalled`, with nothing more coming."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": NDJSON})
    end: str = "whole"


@dataclass
class Asked:
    """A request as it came."""

    url: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


class FakeService:
    """Its catalogue is fixed; reads take the next answer of `reads`, the last one for ever."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.reads: list[Answer] = []
        self.catalogue = json_answer({"tables": TABLES})
        self.asked: list[Asked] = []
        self.released = threading.Event()

    @property
    def asked_reads(self) -> list[Asked]:
        """The requests for rows."""
        return [one for one in self.asked if one.path.endswith("/read")]

    def answer(self, asked: Asked) -> Answer:
        """The answer to a request."""
        self.asked.append(asked)
        if asked.path == "/tables":
            return self.catalogue
        return self.reads.pop(0) if len(self.reads) > 1 else self.reads[0]


@contextmanager
def serve() -> Iterator[FakeService]:
    """A service on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802
            parts = urlsplit(self.path)
            headers = dict(self.headers.items())
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            answer = service.answer(Asked(self.path, parts.path, query, headers))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            # A client that has read enough closes its end.
            with suppress(BrokenPipeError, ConnectionResetError):
                self._send(answer)
            if answer.end == "stalled":
                service.released.wait()
            self.close_connection = answer.end != "whole"

        def _send(self, answer: Answer) -> None:
            if answer.end == "closed":
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(answer.body)
                return
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if answer.body:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(answer.body), answer.body))
            if answer.end == "whole":
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: object) -> None:
            """Tests read what the client logs."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service = FakeService(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        service.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def json_answer(value: Any, status: int = 200, content_type: str = JSON) -> Answer:
    """A whole JSON answer."""
    return Answer(json.dumps(value).encode(), status, {"Content-Type": content_type})


def problem(code: str, status: int, retryable: bool, **members: Any) -> dict[str, Any]:
    """A problem document."""
    return {
        "type": f"urn:lakeflow-spotify:{code}",
        "title": code,
        "status": status,
        "detail": f"What {code} means, and what to do.",
        "code": code,
        "retryable": retryable,
        "request_id": "req-1",
        **members,
    }


def problem_answer(code: str, status: int, retryable: bool, **members: Any) -> Answer:
    """A problem as an answer; `retry_after` is the header."""
    header = members.pop("retry_after", None)
    answer = json_answer(problem(code, status, retryable, **members), status, PROBLEM)
    if header is not None:
        answer.headers["Retry-After"] = header
    return answer


def lines(*entries: dict[str, Any], end: str = "whole") -> Answer:
    """A stream of these lines."""
    return Answer(b"".join(json.dumps(entry).encode() + b"\n" for entry in entries), end=end)


def track(n: int) -> dict[str, Any]:
    """The `n`th saved track."""
    return {"added_at": "2026-01-01T00:00:00Z", "track": {"id": f"track{n}", "name": f"Nº {n}"}}


def row(n: int) -> dict[str, Any]:
    """The line of the `n`th saved track."""
    return {"record": track(n)}


def offset(position: int) -> dict[str, Any]:
    """An offset in the middle of the saved tracks."""
    return {"table": "tracks", "connection": "default", "position": position}


def checkpoint(position: int, records: int) -> dict[str, Any]:
    """The line behind a page."""
    return {"checkpoint": {"offset": offset(position), "records": records}}


def whole(records: int) -> dict[str, Any]:
    """The last line of a table that has been read to its end."""
    return {"end": {"offset": None, "has_more": False, "records": records, "pages": 1}}


def more(position: int, records: int, **members: Any) -> dict[str, Any]:
    """The last line where there is more."""
    end = {"offset": offset(position), "has_more": True, "records": records, "pages": 1, **members}
    return {"end": end}
