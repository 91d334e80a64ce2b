"""Spans of OpenTelemetry, sent by OTLP over HTTP. Imported only where traces are on; see `exchange.tracing`.

No attribute of a span names a subject.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exchange.tracing import PARENT

SEND_EVERY_MS = 1000
Attributes = dict[str, str | int]
_FORMAT = TraceContextTextMapPropagator()


class Tracing:
    """Makes spans and carries them from process to process.

    Args:
        endpoint: where spans are sent, such as http://collector:4318/v1/traces.
        share: of the traces that begin here, how many are taken, 0 to 1; a trace that came with a request is taken as its sender says.
    """

    def __init__(self, endpoint: str, share: float) -> None:
        # The service's name is OTEL_SERVICE_NAME, which the command line sets.
        provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(share)), resource=Resource.create())
        provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint), schedule_delay_millis=SEND_EVERY_MS)
        )
        self._tracer = provider.get_tracer("creditbus")

    def begin(
        self, name: str, kind: SpanKind, attributes: Attributes, *, parent: str = "", links: Iterable[str] = ()
    ) -> Span:
        """A span that its caller ends.

        Args:
            name: what is done.
            kind: of OpenTelemetry.
            attributes: of it.
            parent: a `traceparent`; empty takes the span under way here, if there is one.
            links: `traceparent`s of spans that it has to do with.
        """
        related = [Link(trace.get_current_span(_context(one)).get_span_context()) for one in links]
        context = _context(parent) if parent else None
        return self._tracer.start_span(name, context, kind=kind, attributes=attributes, links=related)

    @contextmanager
    def span(self, name: str, kind: SpanKind, attributes: Attributes, *, parent: str = "") -> Iterator[Span]:
        """A span for what is done within."""
        begun = self.begin(name, kind, attributes, parent=parent)
        with trace.use_span(begun, end_on_exit=True):
            yield begun

    def publishing(self, record_type: str, topic: str) -> tuple[Span, list[tuple[str, bytes]]]:
        """A span for handing a record to Kafka, which its caller ends, and the headers that the record carries."""
        attributes: Attributes = {"messaging.system": "kafka", "messaging.destination.name": topic}
        span = self.begin(f"publish {record_type}", SpanKind.PRODUCER, attributes)
        return span, [(PARENT, parent_of(span).encode())]

    @staticmethod
    def ids() -> dict[str, str]:
        """`trace_id` and `span_id` of the span under way here, for log lines; empty where there is none."""
        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return {}
        return {"trace_id": trace.format_trace_id(context.trace_id), "span_id": trace.format_span_id(context.span_id)}


def _context(parent: str) -> Context:
    return _FORMAT.extract({PARENT: parent}, Context())


def parent_of(span: Span) -> str:
    """The `traceparent` of a span, for who goes on from it."""
    carrier: dict[str, str] = {}
    _FORMAT.inject(carrier, trace.set_span_in_context(span, Context()))
    return carrier.get(PARENT, "")


class TracedRequests:
    """A span for each request to an application, which goes on from the request's `traceparent`.

    Args:
        app: the application.
        tracing: makes spans.
    """

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        parent = dict(scope["headers"]).get(PARENT.encode(), b"").decode("latin-1")
        method: str = scope["method"]
        with self._tracing.span(method, SpanKind.SERVER, {"http.request.method": method}, parent=parent) as span:

            async def noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    route = getattr(scope.get("route"), "path", "other")
                    span.update_name(f"{method} {route}")
                    span.set_attribute("http.route", route)
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self._app(scope, receive, noting)
