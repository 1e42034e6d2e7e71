"""What a queue may do to messages: the same again, late, in another order, to two workers at once;
and messages that nobody wrote for us."""

import base64
import json
import random
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, Protocol

import requests

from shared.domain.messages import Message
from shared.errors import PublishFailed
from shared.ports import Publisher
from tests.chaos.campaign.history import History
from tests.chaos.campaign.plan import markers_in

SHARE = 0.25
"""Of the messages; the others are delivered by the queue alone."""

PUSH_SECONDS = 60.0
"""Longer than a worker may take: it answers when its Gemini calls are over."""

LATE_SECONDS = (5.0, 40.0)
PUSHES_AT_ONCE = 12


class Tap(Protocol):
    """Reads along what is published."""

    def read(self) -> Iterable[Message]:
        """What is new, as far as it can be seen; waits a moment where nothing is."""
        ...


class Duplicator:
    """Delivers some of the real messages one to five times more."""

    def __init__(
        self, tap: Tap, workers: list[str], publisher: Publisher, history: History, seed: int
    ) -> None:
        self.pushed = 0
        self.last: Message | None = None
        self._tap = tap
        self._workers = workers
        self._publisher = publisher
        self._history = history
        self._seed = seed
        self._seen: set[str] = set()
        self._number = count(1)
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(PUSHES_AT_ONCE, thread_name_prefix="duplicate")
        self._thread = threading.Thread(target=self._run, name="tap", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """What is to be late and has not been delivered yet is left."""
        self._stopping.set()
        self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        while not self._stopping.is_set():
            for message in self._tap.read():
                self._again(message)

    def _again(self, message: Message) -> None:
        marker = next(iter(markers_in(message.data.decode(errors="replace"))), "")
        self.last = message
        self._history.marker_of[message.attributes.get("activation_id", "")] = marker
        if not marker or marker in self._seen:
            return
        self._seen.add(marker)
        dice = random.Random(f"messages {self._seed} {marker}")
        if dice.random() > SHARE:
            return
        for _ in range(dice.randint(1, 5)):
            delay = dice.choice((0.0, 0.0, dice.uniform(0, 1), dice.uniform(*LATE_SECONDS)))
            target = dice.choice((*self._workers, "queue"))
            timer = threading.Timer(delay, self._deliver, (message, target))
            timer.daemon = True
            timer.start()

    def _deliver(self, message: Message, target: str) -> None:
        if self._stopping.is_set():
            return
        if target == "queue":
            self.publish(message)
        else:
            self._pool.submit(self.push, message, target)

    def push(self, message: Message, worker: str) -> None:
        envelope = {
            "message": {
                "data": base64.b64encode(message.data).decode(),
                "attributes": message.attributes,
                "messageId": f"again-{next(self._number)}",
            },
            "subscription": "projects/innerjourney-chaos/subscriptions/again",
        }
        self.post(json.dumps(envelope).encode(), worker)

    def post(self, body: bytes, worker: str) -> None:
        self.pushed += 1
        with requests.Session() as session:
            session.trust_env = False
            try:
                answer = session.post(f"{worker}/pubsub/push", data=body, timeout=PUSH_SECONDS)
            except requests.RequestException:
                self._history.answered("push again", None)
                return
        self._history.answered("push again", answer.status_code)

    def publish(self, message: Message) -> None:
        try:
            self._publisher.publish(message)
        except PublishFailed:
            self._history.answered("publish again", None)


def poison(real: Message | None) -> list[Message]:
    """Messages that no release of ours has written, or one that is yet to come."""
    told: dict[str, Any] = json.loads(real.data) if real else {"version": "1", "activation": {}}
    told["activation"]["said_by_the_next_release"] = {"any": "thing"}
    told["of_the_next_release"] = 1
    attributes = real.attributes if real else {}
    return [
        Message(b"not JSON", {"schema": "1"}),
        Message(b"{}", {"schema": "1"}),
        Message(b"null", {}),
        Message(b"[" * 3000, {"schema": "1"}),
        Message(b"{}", {"schema": "99"}),
        Message(json.dumps(told).encode(), {**attributes, "schema": "1"}),
    ]


def broken_envelopes() -> list[bytes]:
    """What is no wrapped push at all."""
    no_base64 = {"message": {"data": "%%%", "messageId": "1"}, "subscription": "s"}
    return [b"", b"null", b"{", b"\xff\xfe", json.dumps(no_base64).encode()]
