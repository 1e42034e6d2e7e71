"""What the publisher makes of a refusal, over the wire from a small server that speaks its gRPC."""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc
import pytest
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.types import PublishRequest

from shared.domain.messages import Message
from shared.errors import PublishFailed
from shared.google.pubsub import PubSubPublisher


@contextmanager
def refusing(code: grpc.StatusCode, asked: list[str]) -> Iterator[PublisherClient]:
    def refuse(request: PublishRequest, context: grpc.ServicerContext) -> None:
        asked.append(request.topic)
        context.abort(code, "told to")

    server = grpc.server(futures.ThreadPoolExecutor(2))
    method = grpc.unary_unary_rpc_method_handler(
        refuse, request_deserializer=PublishRequest.deserialize
    )
    handler = grpc.method_handlers_generic_handler(
        "google.pubsub.v1.Publisher", {"Publish": method}
    )
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    options = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        yield PublisherClient(transport=PublisherGrpcTransport(channel=channel))
    server.stop(grace=None).wait()


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (grpc.StatusCode.NOT_FOUND, "NotFound"),  # the topic was deleted
        (grpc.StatusCode.PERMISSION_DENIED, "PermissionDenied"),
        (grpc.StatusCode.UNAUTHENTICATED, "Unauthenticated"),
    ],
)
def test_a_refused_publish_is_named_and_not_tried_again(code: grpc.StatusCode, name: str) -> None:
    asked: list[str] = []
    with refusing(code, asked) as client, pytest.raises(PublishFailed, match=f"^{name}$"):
        PubSubPublisher(client, "p", "t").publish(Message(b"{}"))
    assert asked == ["projects/p/topics/t"]
