"""A collector that speaks OTLP over HTTP and keeps what it is sent; or hangs, or refuses."""

import gzip
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class SeenSpan:
    """One span as it was sent, with the service that sent it. Ids are hexadecimal."""

    name: str
    kind: int
    service: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]


@dataclass
class OtlpReceiver:
    """Serves from `__enter__` to `__exit__`; while `hangs` is set, no request is answered."""

    status: int = 200
    hangs: threading.Event = field(default_factory=threading.Event)
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "OtlpReceiver":
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver.headers.append(dict(self.headers))
                receiver.bodies.append((self.path, body))
                if receiver.hangs.is_set():
                    receiver._ended.wait(60)
                    self.close_connection = True
                    return  # never an answer: nobody is to say later that it is back
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    @property
    def everything(self) -> bytes:
        """All the bytes that were sent, to look for what must not be among them."""
        return b"\n".join(body for _, body in self.bodies)

    @property
    def spans(self) -> list[SeenSpan]:
        return [
            SeenSpan(
                name=span.name,
                kind=span.kind,
                service=str(plain(resource.resource.attributes)["service.name"]),
                trace_id=span.trace_id.hex(),
                span_id=span.span_id.hex(),
                parent_id=span.parent_span_id.hex(),
                attributes=plain(span.attributes),
            )
            for path, body in list(self.bodies)
            if path == "/v1/traces"
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def metrics(self) -> dict[str, list[dict[str, Any]]]:
        """By metric, the attributes of its points."""
        found: dict[str, list[dict[str, Any]]] = {}
        for path, body in list(self.bodies):
            if path != "/v1/metrics":
                continue
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        points = (metric.sum or metric.histogram).data_points
                        points = points or metric.histogram.data_points
                        found.setdefault(metric.name, []).extend(
                            plain(point.attributes) for point in points
                        )
        return found


def plain(attributes: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in attributes}
