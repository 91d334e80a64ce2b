"""What the doors over HTTP show: gateway, inbox, portal."""

from exchange.metrics.declaring import SECONDS, Metrics


class GatewayMetrics(Metrics):
    """What the gateway shows."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = self._counter("gateway_requests", "Requests answered, by route and status.", "route", "status")
        self.records = self._counter(
            "gateway_records", "Records taken in, by what became of them.", "department", "record_type", "status"
        )
        self.refused = self._counter("gateway_refused", "Records refused, by reason.", "department", "reason")
        self.publish_seconds = self._histogram(
            "gateway_publish_seconds", "Seconds from a whole body to its answer.", buckets=(*SECONDS, 30.0, 60.0)
        )
        self.repeated = self._counter(
            "gateway_repeated", "Requests answered as before because their idempotency key was known.", "department"
        )
        self.turned_away = self._counter(
            "gateway_turned_away", "Requests told to come later: rate (of the department), busy (too many at a time).",
            "department", "why",
        )  # fmt: skip
        self.under_way = self._gauge("gateway_under_way", "Requests being published.")


class InboxHttpMetrics(Metrics):
    """What the inbox over HTTP shows."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = self._counter("inbox_requests", "Requests answered, by route and status.", "route", "status")
        self.poll_wait_seconds = self._histogram(
            "inbox_poll_wait_seconds",
            "Seconds that a request for notices waited for them.",
            buckets=(*SECONDS, 20.0, 30.0),
        )
        self.served = self._counter(
            "inbox_notices", "Notices served, by how: page, stream, single.", "department", "how"
        )
        self.open_streams = self._gauge("inbox_open_streams", "Streams of notices that are open.", "department")
        self.receipts = self._counter("inbox_receipts", "Receipts confirmed by the bus.", "department")
        self.feedback = self._counter(
            "inbox_feedback", "Feedback confirmed by the bus, by state.", "department", "state"
        )
        self.refused = self._counter(
            "inbox_answers_refused", "Receipts and feedback refused, by reason.", "department", "reason"
        )
        self.undecodable = self._counter("inbox_undecodable", "Messages on departments' topics that are no notices.")


class PortalMetrics(Metrics):
    """What the portal shows."""

    def __init__(self) -> None:
        super().__init__()
        self.access_log_waiting = self._gauge(
            "access_log_waiting_entries",
            "Entries of the access log that are in Redis and not yet in Kafka; -1 while Redis is away.",
        )
