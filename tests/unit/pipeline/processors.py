"""A processor around doubles, and a message for it."""

from local.sqlite.store import SqliteStore
from shared.domain.activation import Activation
from shared.domain.messages import Message, encode
from shared.ports import ActivationStore
from tests.builders import LEASE, a_decider, an_activation
from tests.doubles import FakeTime
from worker.gemini.port import Gemini
from worker.pipeline.claim import Claimer
from worker.pipeline.held_claims import HeldClaims
from worker.pipeline.process import Processor


def a_processor(
    store: ActivationStore, time: FakeTime, gemini: Gemini, claims: HeldClaims | None = None
) -> Processor:
    return Processor(
        store=store,
        claims=claims or HeldClaims(store),
        claimer=Claimer(store=store, lease=LEASE, clock=time.now),
        decider=a_decider(gemini),
        write_back_seconds=20,
        sleep=time.sleep,
        monotonic=time.monotonic,
    )


def submitted(store: SqliteStore, activation: Activation | None = None) -> Message:
    """What the ingress publishes after it has written the activation."""
    stored = store.create(activation or an_activation())
    return encode(stored.activation, stored.version)
