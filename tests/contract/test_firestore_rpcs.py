"""What the fast path costs on Firestore: create one write, claim one, complete one; no read."""

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import grpc
import pytest
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

from ingress.api.request import ActivationRequest
from ingress.submit.accept import Acceptor
from ingress.submit.limits import DailyLimit
from shared.clock import utc_now
from shared.errors import StoreUnavailable
from shared.google import firestore
from shared.google.firestore import ATTEMPT_SECONDS, TOTAL_SECONDS, FirestoreStore
from tests.builders import LEASE, a_decider, an_activation
from tests.doubles import FakePublisher, ScriptedGemini
from tests.support.emulators import PROJECT, GoogleEmulators, free_port
from worker.pipeline.claim import Claimer
from worker.pipeline.held_claims import HeldClaims
from worker.pipeline.process import Processor
from worker.pipeline.records import Ledger


class RpcCounter(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[misc]
    """Names of the calls that went over the channel."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def _count(self, proceed: Callable[..., Any], details: Any, request: Any) -> Any:
        method = details.method
        self.calls.append((method.decode() if isinstance(method, bytes) else method).split("/")[-1])
        return proceed(details, request)

    intercept_unary_unary = _count
    intercept_unary_stream = _count


@dataclass(frozen=True)
class Counted:
    store: FirestoreStore
    rpcs: RpcCounter


@pytest.fixture
def counted(emulators: GoogleEmulators) -> Iterator[Counted]:
    rpcs = RpcCounter()
    channel = grpc.intercept_channel(grpc.insecure_channel(emulators.firestore_host), rpcs)
    with emulators.found_by_libraries():
        client = firestore.connect(PROJECT, "(default)")
    client._firestore_api_internal = FirestoreClient(
        transport=FirestoreGrpcTransport(channel=channel)
    )
    yield Counted(FirestoreStore(client, f"counted-{uuid.uuid4().hex}"), rpcs)
    channel.close()


def test_create_claim_and_complete_are_one_write_each_and_no_read(counted: Counted) -> None:
    publisher = FakePublisher()
    acceptor = Acceptor(
        store=counted.store,
        publisher=publisher,
        clock=utc_now,
        time_to_answer=timedelta(minutes=5),
        time_to_live=timedelta(days=30),
        daily_limit=DailyLimit(store=counted.store, clock=utc_now, limit=0),
    )
    request = ActivationRequest(mood=2, goal="komma igång")
    acceptor.accept("anna", request, language="sv", traceparent="")
    assert counted.rpcs.calls == ["Commit"]
    processor = Processor(
        store=counted.store,
        claims=HeldClaims(counted.store),
        claimer=Claimer(store=counted.store, lease=LEASE, clock=utc_now),
        decider=a_decider(ScriptedGemini()),
        ledger=Ledger("fake"),
        write_back_seconds=20,
    )
    message = publisher.published[0]
    assert processor.process(message) == "completed"
    assert counted.rpcs.calls == ["Commit", "Commit", "Commit"]
    assert processor.process(message) == "done"
    assert counted.rpcs.calls[3:] == ["Commit", "BatchGetDocuments"]


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.get("a1"),
        lambda store: store.create(an_activation()),
        lambda store: store.replace(an_activation(), "2026-11-23T12:00:00.000001Z"),
        lambda store: store.due(datetime.now(timezone.utc), limit=1),
        lambda store: store.page("anna", limit=1),
        lambda store: store.count_since("anna", datetime.now(timezone.utc)),
        lambda store: store.recent(datetime.now(timezone.utc), limit=1),
        lambda store: store.count_dead_letters(up_to=1),
        lambda store: store.ping(),
    ],
    ids=[
        *("get", "create", "replace", "due", "page", "count", "recent", "count_dead_letters"),
        "ping",
    ],
)
def test_with_the_server_away_every_call_ends_within_its_total_deadline(
    call: Callable[[FirestoreStore], object],
) -> None:
    nowhere = GoogleEmulators(pubsub_host="", firestore_host=f"127.0.0.1:{free_port()}")
    with nowhere.found_by_libraries():
        client = firestore.connect(PROJECT, "(default)")
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        call(FirestoreStore(client, "activations"))
    # Twice the bound is room for a slow host; the client's own defaults take minutes.
    assert time.monotonic() - started < 2 * (TOTAL_SECONDS + ATTEMPT_SECONDS)
    client.close()
