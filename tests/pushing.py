"""What tests of receivers share: notices as the bus pushes them, signed, and a real inbox that takes feedback."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cloudevents.core.bindings.http import to_structured_event
from cloudevents.core.v1.event import CloudEvent

from exchange.codec import Codec
from exchange.domain.synthetic import synthetic_uscc
from exchange.json_form import from_json
from exchange.paths import SCHEMAS
from exchange.signatures import EndpointKey, Signer, SigningKeys

CODEC = Codec.from_files(SCHEMAS)
MASTER = SigningKeys.parse("k1:" + "ab" * 32)
KEY, NEXT_KEY, FOREIGN_KEY = (MASTER.endpoint_key(name, n) for name, n in (("gd.amr", 1), ("gd.amr", 2), ("other", 1)))
FIRM, OTHER = f"org:{synthetic_uscc(1)}", f"org:{synthetic_uscc(2)}"
TOKEN = "cbk_test"  # noqa: S105 # of no worth

Json = dict[str, Any]


def in_force(measure: str, since: int, list_code: str = "COURT", *, epoch: int = 1) -> Json:
    """A measure in force by one listing."""
    listing = {
        "list_code": list_code, "department": "gd.court", "document": "（2026）粤01执1号", "decided_on": "2026-05-20",
        "memorandum": "COURT-2016", "article": "二(九)",
    }  # fmt: skip
    return {
        "measure": measure, "listings": [listing], "respond_by": "2026-05-27", "basis": "公司法第一百七十八条",
        "since_epoch": epoch, "since_n": since, "since_on": "2026-05-20",
    }  # fmt: skip


def lifted(measure: str, since: int, *, epoch: int = 1) -> Json:
    """A lift that awaits its confirmation."""
    return {"measure": measure, "since_epoch": epoch, "since_n": since, "respond_within": 5}


def notice(n: int, *measures: Json, ended: tuple[Json, ...] = (), subject: str = FIRM, to: str = "gd.amr", **more: Any) -> Json:  # fmt: skip
    """A notice in its JSON form."""
    return {
        "id": f"{subject[-6:]}-{to}-{n}", "subject": subject, "subject_name": "合成第00001号有限公司", "department": to, "epoch": 1,
        "n": n, "issued_at": "2026-05-20T02:00:00Z", "measures": list(measures), "lifted": list(ended), "policy_version": "test",
    } | more  # fmt: skip


def decoded(value: Json) -> Json:
    """A notice as the inbox on Kafka hands it out."""
    return CODEC.decode(encoded(value))[1]


def encoded(value: Json) -> bytes:
    """A notice as it lies on Kafka."""
    return CODEC.encode("notice", from_json(CODEC.contracts.latest["notice"].schema, value))


def event(data: Json, event_type: str = "cn.creditbus.notice.v1") -> bytes:
    """The body of a push, made by the official CloudEvents library."""
    attributes = {
        "id": data.get("id", "challenge-1"), "source": "/creditbus", "type": event_type, "specversion": "1.0",
        "subject": data.get("subject", "endpoint"), "datacontenttype": "application/json",
    }  # fmt: skip
    body = to_structured_event(CloudEvent(attributes=attributes, data=data)).body
    return body if isinstance(body, bytes) else str(body).encode()


def signed(
    body: bytes, message_id: str, *, keys: tuple[EndpointKey, ...] = (KEY,), at: float | None = None
) -> dict[str, str]:
    """The headers of a push."""
    headers = Signer(keys).headers(message_id, int(time.time() if at is None else at), body)
    return headers | {"Content-Type": "application/cloudevents+json"}


def push(url: str, data: Json, **how: Any) -> tuple[int, Json]:
    """Push a notice to a department; status and answer."""
    body = event(data)
    return post(f"{url}/notices", body, signed(body, data["id"], **how))


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Json]:
    """Send a request and read the answer, whatever its status; text that is no JSON comes as `text`."""
    return _ask(urllib.request.Request(url, body, dict(headers)))  # noqa: S310 # a test's own address


def get(url: str, accept: str = "application/json") -> tuple[int, Any]:
    """Ask a page."""
    return _ask(urllib.request.Request(url, headers={"Accept": accept}))  # noqa: S310 # as above


def _ask(request: urllib.request.Request) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 # as above
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            status, text = error.code, error.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, {"text": text}


class FeedbackInbox:
    """An HTTP inbox that takes feedback when it fits the contract; `statuses` are answered first, in turn.

    As the bus's own it fills in department and time itself, and says of each row what became of it when not all are taken.
    """

    def __init__(self) -> None:
        self.records: list[Json] = []
        self.statuses: list[int] = []
        self.refused_measure = ""
        self.held = threading.Event()
        self.held.set()
        self._schema = CODEC.contracts.latest["measure_feedback"].schema
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, results = inbox.take(self.path, self.headers["Authorization"], body)
                answer = json.dumps({"results": results}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the name is the base class's
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def take(self, path: str, authorization: str, body: list[Json]) -> tuple[int, list[Json]]:
        self.held.wait(30)
        if self.statuses:
            return self.statuses.pop(0), []
        assert path == "/v1/feedback"
        if authorization != f"Bearer {TOKEN}":
            return 401, []
        results = [self._result(one) for one in body]
        return (207 if any(one["status"] == "refused" for one in results) else 200), results

    def _result(self, row: Json) -> Json:
        assert not {"department", "published_at"} & row.keys(), "the inbox fills them in"
        given = row | {"department": "gd.amr", "published_at": "2026-05-20T02:00:00Z"}
        CODEC.encode("measure_feedback", from_json(self._schema, given))
        if row["measure"] == self.refused_measure:
            reason = {"code": "unknown_measure", "field": "measure", "value": row["measure"], "rule": "a measure"}
            return {"status": "refused", "reasons": [reason]}
        self.records.append(row)
        return {"status": "accepted"}

    def states(self, measure: str = "office_ban", subject: str = FIRM) -> list[tuple[int, str]]:
        """(revision, state) of what came about one measure, in the order in which it came."""
        found = [one for one in self.records if (one["measure"], one["subject"]) == (measure, subject)]
        return [(one["revision"], one["state"]) for one in found]

    @contextmanager
    def running(self) -> Iterator["FeedbackInbox"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.held.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()
