"""`python -m worker.pull`: the same processing on a StreamingPull subscription."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingress.app import create_app
from local.emulators.subscriptions import Delivery, Subscriptions
from shared.domain.messages import Message
from shared.google.adapters import google_adapters
from shared.settings import Settings
from tests.e2e.pipeline import GOOD, clean_environment
from tests.fake_gemini import FakeGemini, answer, late
from tests.support.emulators import GoogleEmulators
from tests.support.eventually import eventually

MANY = 60


@pytest.mark.timeout(180)
def test_pulled_messages_are_processed_many_at_once_each_with_one_call(
    emulators: GoogleEmulators, tmp_path: Path
) -> None:
    settings = Settings(
        auth="none",
        google_cloud_project="innerjourney-pull",
        pubsub_topic="pulled",
        pubsub_dead_letter_topic="pulled-dead",
        pubsub_subscription="pulled-by-test",
    )
    with emulators.found_by_libraries():
        subscriptions = Subscriptions(settings)
        store, publisher = google_adapters(settings)
    subscriptions.create_topics()
    subscriptions.pull_requests(settings.pubsub_subscription, Delivery(max_attempts=5))
    app = create_app(settings, store, publisher)

    def submit(_: int) -> str:
        body = app.test_client().post("/activations", json=GOOD).get_json()
        return str(body["activation_id"])

    with FakeGemini(default=late(0.5, answer())) as gemini:
        environment = {
            **clean_environment(),
            **emulators.environment,
            "GOOGLE_CLOUD_PROJECT": "innerjourney-pull",
            "PUBSUB_TOPIC": settings.pubsub_topic,
            "PUBSUB_SUBSCRIPTION": settings.pubsub_subscription,
            "GEMINI_API_KEY": "fake",
            "GEMINI_API_ENDPOINT": gemini.url,
            "WEB_THREADS": "16",
        }
        with (tmp_path / "pull.log").open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "worker.pull"],
                cwd=tmp_path,
                env=environment,
                stdout=log,
                stderr=log,
            )
        try:
            publisher.publish(Message(b"not one of ours"))
            with ThreadPoolExecutor(8) as submitters:
                ids = list(submitters.map(submit, range(MANY)))

            def all_done() -> bool:
                found = [store.get(activation_id) for activation_id in ids]
                return all(stored and stored.activation.done for stored in found)

            eventually(all_done, seconds=120, what="the end of all")
            assert len(gemini.calls) == MANY
            # Google's emulator pushes two at a time; pulling goes beyond that.
            assert gemini.most_at_once > 2
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0, (tmp_path / "pull.log").read_text()
        finally:
            worker.kill()
            worker.wait()
    said = (tmp_path / "pull.log").read_text()
    assert "pull.not_understood" in said
    assert "komma igång" not in said
    subscriptions.close()


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
