"""`python -m worker.pull`: a whole worker for hosts without push, on Google's Pub/Sub emulator."""

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from google.cloud import pubsub_v1

from ingress.app import create_app
from local.emulators.subscriptions import Delivery, Subscriptions
from shared.clock import utc_now
from shared.domain.activation import Activation
from shared.domain.messages import Message, encode
from shared.google import pubsub
from shared.google.adapters import google_adapters
from shared.google.pubsub import PubSubPublisher
from shared.settings import Settings
from tests.builders import an_activation
from tests.e2e.pipeline import CLOUD_RUN_KILLS_AFTER_SECONDS, GOOD, clean_environment
from tests.fake_gemini import FakeGemini, answer, held, late
from tests.support.emulators import GoogleEmulators, free_port
from tests.support.eventually import eventually

MANY = 60


@dataclass
class Pulling:
    """Topics with pull subscriptions, an ingress that publishes to them, and a fake Gemini."""

    emulators: GoogleEmulators
    settings: Settings
    gemini: FakeGemini
    log: Path
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        with self.emulators.found_by_libraries():
            self._subscriptions = Subscriptions(self.settings)
            self._subscriber = pubsub_v1.SubscriberClient()
            self._client = pubsub.connect()
            self.store, self.publisher = google_adapters(self.settings)
        dead_topic = self.settings.pubsub_dead_letter_topic
        self.dead_letters = PubSubPublisher(self._client, self.project, dead_topic)
        self._subscriptions.create_topics()
        self._subscriptions.pull_requests(
            self.settings.pubsub_subscription, Delivery(max_attempts=5)
        )
        self._subscriptions.pull_dead_letters(self.settings.pubsub_dead_letter_subscription)
        self._ingress = create_app(self.settings, self.store, self.publisher)

    @property
    def project(self) -> str:
        return str(self.settings.google_cloud_project)

    @property
    def names(self) -> set[str]:
        settings = self.settings
        return {settings.pubsub_subscription, settings.pubsub_dead_letter_subscription}

    def close(self) -> None:
        self._subscriptions.close()
        self._subscriber.close()
        self._client.transport.close()

    def unsubscribe(self, name: str) -> None:
        path = self._subscriber.subscription_path(self.project, name)
        self._subscriber.delete_subscription(subscription=path)

    def submit(self, _: int = 0) -> str:
        body = self._ingress.test_client().post("/activations", json=GOOD).get_json()
        return str(body["activation_id"])

    def shown(self, activation_id: str) -> Activation:
        stored = self.store.get(activation_id)
        assert stored is not None
        return stored.activation

    def done(self, activation_id: str) -> bool:
        return self.shown(activation_id).done

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def ready(self) -> tuple[int, dict[str, Any]] | None:
        """The status of `/readyz` and its body; None while nobody listens."""
        try:
            found = requests.get(self.url("/readyz"), timeout=10)
        except requests.ConnectionError:
            return None
        return found.status_code, found.json()

    def unready(self) -> set[str]:
        """What `/readyz` says is away."""
        status, body = self.ready() or (None, {"reasons": {}})
        assert status in (None, 200, 503)
        return set(body["reasons"]) if status == 503 else set()

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        environment = {
            **clean_environment(),
            **self.emulators.environment,
            "ALLOW_UNAUTHENTICATED": "true",
            "GOOGLE_CLOUD_PROJECT": self.project,
            "PORT": str(self.port),
            "PUBSUB_TOPIC": self.settings.pubsub_topic,
            "PUBSUB_SUBSCRIPTION": self.settings.pubsub_subscription,
            "GEMINI_API_KEY": "fake",
            "GEMINI_API_ENDPOINT": self.gemini.url,
            "WEB_THREADS": "16",
        }
        argv = [sys.executable, "-m", "worker.pull"]
        with (
            self.log.open("ab") as log,
            subprocess.Popen(
                argv, cwd=self.log.parent, env=environment, stdout=log, stderr=log
            ) as worker,
        ):
            try:
                yield worker
            finally:
                worker.kill()


@pytest.fixture
def pulling(emulators: GoogleEmulators, tmp_path: Path) -> Iterator[Pulling]:
    name = f"pulled-{uuid.uuid4().hex[:8]}"
    settings = Settings(
        auth="none",
        google_cloud_project=name,  # of its own: a sweep takes all that is due in a project
        pubsub_topic=name,
        pubsub_dead_letter_topic=f"{name}-dead",
        pubsub_subscription=f"{name}-by-test",
    )
    with FakeGemini(default=late(0.5, answer())) as gemini:
        found = Pulling(emulators, settings, gemini, tmp_path / "pull.log")
        yield found
        found.close()


def new_id() -> str:
    return uuid.uuid4().hex


@pytest.mark.timeout(180)
def test_pulled_messages_are_processed_many_at_once_each_with_one_call(pulling: Pulling) -> None:
    with pulling.worker() as worker:
        pulling.publisher.publish(Message(b"not one of ours"))
        with ThreadPoolExecutor(8) as submitters:
            ids = list(submitters.map(pulling.submit, range(MANY)))
        eventually(lambda: all(map(pulling.done, ids)), seconds=120, what="the end of all")
        assert len(pulling.gemini.calls) == MANY
        # Google's emulator pushes two at a time; pulling goes beyond that.
        assert pulling.gemini.most_at_once > 2
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(CLOUD_RUN_KILLS_AFTER_SECONDS) == 0, pulling.log.read_text()
    said = pulling.log.read_text()
    assert "pull.not_understood" in said
    assert "komma igång" not in said


def test_a_host_that_only_pulls_lacks_nothing(pulling: Pulling) -> None:
    """One start for several facts: it sweeps, answers dead letters, and serves health alone."""
    never_published = an_activation(new_id(), now=utc_now() - timedelta(seconds=120))
    pulling.store.create(never_published)
    past_deadline = an_activation(new_id(), now=utc_now() - timedelta(seconds=400))
    # Due later than a real one, so that the sweep leaves it alone.
    due_later = past_deadline.model_copy(update={"due_at": utc_now() + timedelta(hours=1)})
    given_up = pulling.store.create(due_later)
    with pulling.worker() as worker:
        eventually(lambda: pulling.done(never_published.activation_id), what="the sweep")
        assert pulling.shown(never_published.activation_id).source == "gemini"

        pulling.dead_letters.publish(encode(given_up.activation, given_up.version))
        pulling.dead_letters.publish(Message(b"not one of ours"))
        eventually(lambda: pulling.done(due_later.activation_id), what="the dead letter")
        assert pulling.shown(due_later.activation_id).fallback_reason == "undeliverable"
        eventually(lambda: pulling.store.count_dead_letters(up_to=10) == 1, what="the kept one")

        assert pulling.ready() == (200, {"status": "ok", "reasons": {}})
        assert requests.get(pulling.url("/livez"), timeout=10).status_code == 200
        for path in ("/pubsub/push", "/pubsub/dead-letter", "/tasks/sweep"):
            assert requests.post(pulling.url(path), timeout=10).status_code == 404
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(CLOUD_RUN_KILLS_AFTER_SECONDS) == 0, pulling.log.read_text()


def test_a_call_that_outlasts_the_grace_is_given_back(pulling: Pulling) -> None:
    pulling.gemini.next(held())
    with pulling.worker() as worker:
        activation_id = pulling.submit()
        pulling.gemini.wait_for_calls(1)
        worker.send_signal(signal.SIGTERM)
        eventually(lambda: pulling.unready() == pulling.names, what="unreadiness")
        assert worker.wait(CLOUD_RUN_KILLS_AFTER_SECONDS) == 0, pulling.log.read_text()
    given_back = pulling.shown(activation_id)
    assert (given_back.status, given_back.attempt) == ("queued", 0)


def test_a_stream_that_has_ended_makes_it_unready_and_when_its_work_is_done_ends_it(
    pulling: Pulling,
) -> None:
    requests_of = pulling.settings.pubsub_subscription
    pulling.gemini.next(held())
    with pulling.worker() as worker:
        activation_id = pulling.submit()
        pulling.gemini.wait_for_calls(1)
        pulling.unsubscribe(requests_of)
        assert eventually(pulling.unready) == {requests_of}
        pulling.gemini.released.set()
        assert worker.wait(30) == 1, pulling.log.read_text()
    assert pulling.shown(activation_id).source == "gemini"
    assert pulling.log.read_text().count("pull.failed") == 1


def test_without_its_dead_letter_subscription_it_ends_with_one_line_that_names_it(
    pulling: Pulling,
) -> None:
    missing = pulling.settings.pubsub_dead_letter_subscription
    pulling.unsubscribe(missing)
    with pulling.worker() as worker:
        assert worker.wait(60) == 1, pulling.log.read_text()
    [line] = [line for line in pulling.log.read_text().splitlines() if "pull.failed" in line]
    assert missing in line
    assert "NotFound" in line


def test_a_missing_project_is_one_line_and_exit_2(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "worker.pull"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert (ended.stdout + ended.stderr).count("\n") == 1
    assert "GOOGLE_CLOUD_PROJECT" in ended.stderr
