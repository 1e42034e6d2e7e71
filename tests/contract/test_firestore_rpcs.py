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
from ingress.submit.accept import Accepted, Acceptor
from shared.clock import utc_now
from shared.errors import StoreUnavailable
from shared.google import firestore
from shared.google.firestore import ATTEMPT_SECONDS, TOTAL_SECONDS, FirestoreStore
from shared.http.problems import Problem
from tests.builders import LEASE, a_decider, an_activation
from tests.doubles import FakePublisher, ScriptedGemini
from tests.support.emulators import PROJECT, GoogleEmulators, free_port
from worker.pipeline.claim import Claimer
from worker.pipeline.held_claims import HeldClaims
from worker.pipeline.process import Processor


class AnswerLost(grpc.RpcError):  # type: ignore[misc]
    """A call that ends like this."""

    def result(self) -> None:
        raise self

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return "told to"

    def trailing_metadata(self) -> None:
        return None


class RpcCounter(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[misc]
    """Names of the calls that went over the channel. It can lose the next answer."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.loses_next_answer = False

    def _count(self, proceed: Callable[..., Any], details: Any, request: Any) -> Any:
        method = details.method
        self.calls.append((method.decode() if isinstance(method, bytes) else method).split("/")[-1])
        call = proceed(details, request)
        if self.loses_next_answer:
            self.loses_next_answer = False
            call.result()
            return AnswerLost()
        return call

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


def acceptor(counted: Counted, publisher: FakePublisher, *, daily_limit: int = 0) -> Acceptor:
    return Acceptor(
        store=counted.store,
        publisher=publisher,
        clock=utc_now,
        time_to_answer=timedelta(minutes=5),
        time_to_live=timedelta(days=30),
        daily_limit=daily_limit,
    )


def submit(acceptor: Acceptor, *, user: str = "anna", key: str | None = None) -> Accepted:
    request = ActivationRequest(mood=2, goal="komma igång")
    return acceptor.accept(user, request, language="sv", traceparent="", key=key)


def test_create_claim_and_complete_are_one_write_each_and_no_read(counted: Counted) -> None:
    publisher = FakePublisher()
    submit(acceptor(counted, publisher))
    assert counted.rpcs.calls == ["Commit"]
    processor = Processor(
        store=counted.store,
        claims=HeldClaims(counted.store),
        claimer=Claimer(store=counted.store, lease=LEASE, clock=utc_now),
        decider=a_decider(ScriptedGemini()),
        write_back_seconds=20,
    )
    message = publisher.published[0]
    assert processor.process(message) == "completed"
    assert counted.rpcs.calls == ["Commit", "Commit", "Commit"]
    assert processor.process(message) == "done"
    assert counted.rpcs.calls[3:] == ["Commit", "BatchGetDocuments"]


def test_a_user_whom_this_process_has_not_seen_is_read_once_then_a_submit_is_one_write(
    counted: Counted,
) -> None:
    ingress, user = acceptor(counted, FakePublisher(), daily_limit=3), uuid.uuid4().hex
    submit(ingress, user=user)
    assert counted.rpcs.calls == ["BatchGetDocuments", "Commit"]
    submit(ingress, user=user)
    submit(ingress, user=user)
    assert counted.rpcs.calls[2:] == ["Commit", "Commit"]


def test_a_submit_over_the_daily_limit_is_refused_without_asking_firestore(
    counted: Counted,
) -> None:
    ingress, user = acceptor(counted, FakePublisher(), daily_limit=1), uuid.uuid4().hex
    submit(ingress, user=user)
    counted.rpcs.calls.clear()
    with pytest.raises(Problem):
        submit(ingress, user=user)
    assert counted.rpcs.calls == []


def test_a_submit_whose_answer_was_lost_is_made_and_counted_once(counted: Counted) -> None:
    publisher = FakePublisher()
    ingress, user = acceptor(counted, publisher, daily_limit=3), uuid.uuid4().hex
    submit(ingress, user=user)
    counted.rpcs.loses_next_answer = True
    assert not submit(ingress, user=user).replayed
    assert len(publisher.published) == 2
    submit(ingress, user=user)
    with pytest.raises(Problem):
        submit(ingress, user=user)


def test_after_a_replay_the_next_submit_is_one_write(counted: Counted) -> None:
    ingress, user = acceptor(counted, FakePublisher(), daily_limit=3), uuid.uuid4().hex
    assert not submit(ingress, user=user, key="k").replayed
    assert submit(ingress, user=user, key="k").replayed
    counted.rpcs.calls.clear()
    submit(ingress, user=user)
    assert counted.rpcs.calls == ["Commit"]


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.get("a1"),
        lambda store: store.create(an_activation()),
        lambda store: store.replace(an_activation(), "2026-11-23T12:00:00.000001Z"),
        lambda store: store.due(datetime.now(timezone.utc), limit=1),
        lambda store: store.page("anna", limit=1),
        lambda store: store.create(an_activation(), daily_limit=1),
        lambda store: store.recent(datetime.now(timezone.utc), limit=1),
        lambda store: store.count_dead_letters(up_to=1),
        lambda store: store.dead_letters(limit=1),
        lambda store: store.ping(),
    ],
    ids=[
        *(
            "get",
            "create",
            "replace",
            "due",
            "page",
            "counted create",
            "recent",
            "count_dead_letters",
            "dead_letters",
        ),
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
