"""`python -m worker.pull`: the same processing on a StreamingPull subscription."""

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingress.app import create_app
from local.emulators.subscriptions import Delivery, Subscriptions
from shared.domain.messages import Message
from shared.google.adapters import google_adapters
from shared.settings import Settings
from tests.e2e.pipeline import CLOUD_RUN_KILLS_AFTER_SECONDS, GOOD, clean_environment
from tests.fake_gemini import FakeGemini, answer, held, late
from tests.support.emulators import GoogleEmulators
from tests.support.eventually import eventually

MANY = 60


@dataclass
class Pulling:
    """A topic with a pull subscription, an ingress that publishes to it, and a fake Gemini."""

    emulators: GoogleEmulators
    settings: Settings
    gemini: FakeGemini
    log: Path

    def __post_init__(self) -> None:
        with self.emulators.found_by_libraries():
            self._subscriptions = Subscriptions(self.settings)
            self.store, self.publisher = google_adapters(self.settings)
        self._subscriptions.create_topics()
        self._subscriptions.pull_requests(
            self.settings.pubsub_subscription, Delivery(max_attempts=5)
        )
        self._ingress = create_app(self.settings, self.store, self.publisher)

    def close(self) -> None:
        self._subscriptions.close()

    def submit(self, _: int = 0) -> str:
        body = self._ingress.test_client().post("/activations", json=GOOD).get_json()
        return str(body["activation_id"])

    def done(self, activation_id: str) -> bool:
        stored = self.store.get(activation_id)
        return stored is not None and stored.activation.done

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        environment = {
            **clean_environment(),
            **self.emulators.environment,
            "ALLOW_UNAUTHENTICATED": "true",
            "GOOGLE_CLOUD_PROJECT": str(self.settings.google_cloud_project),
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
        google_cloud_project="innerjourney-pull",
        pubsub_topic=name,
        pubsub_dead_letter_topic=f"{name}-dead",
        pubsub_subscription=f"{name}-by-test",
    )
    with FakeGemini(default=late(0.5, answer())) as gemini:
        found = Pulling(emulators, settings, gemini, tmp_path / "pull.log")
        yield found
        found.close()


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


def test_a_call_that_outlasts_the_grace_is_given_back(pulling: Pulling) -> None:
    pulling.gemini.next(held())
    with pulling.worker() as worker:
        activation_id = pulling.submit()
        pulling.gemini.wait_for_calls(1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(CLOUD_RUN_KILLS_AFTER_SECONDS) == 0, pulling.log.read_text()
    stored = pulling.store.get(activation_id)
    assert stored is not None
    assert (stored.activation.status, stored.activation.attempt) == ("queued", 0)


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
