"""The Pub/Sub emulator away while a user submits: accepted, and completed once it is back."""

import os
import signal
import time
from pathlib import Path

import requests

from local.emulators.programs import find_emulators, wait_until_listening
from local.run.processes import stop_all
from tests.e2e.pipeline import GOOD, running
from tests.fake_gemini import FakeGemini
from tests.support.emulators import need_emulators
from tests.support.eventually import eventually


def test_what_was_accepted_while_pubsub_was_away_completes_after_a_sweep(tmp_path: Path) -> None:
    need_emulators()
    with FakeGemini() as gemini, running(tmp_path / "run", gemini, emulators=True) as pipeline:
        for pid in pipeline.processes(naming="pubsub-emulator"):
            os.kill(pid, signal.SIGKILL)
        answer = requests.post(f"{pipeline.url}/activations", json=GOOD, timeout=30)
        assert answer.status_code == 202
        activation_id = answer.json()["activation_id"]
        assert "activation.publish_failed" in pipeline.output
        assert pipeline.show(activation_id)["status"] == "queued"

        again = find_emulators().pubsub(pipeline.pubsub_port, tmp_path / "again")
        try:
            again.start()
            wait_until_listening([again], [pipeline.pubsub_port])
            # It has forgotten everything; the local run subscribes again by itself.
            eventually(lambda: "subscriptions.created_again" in pipeline.output)
            eventually(lambda: pipeline.sweep()["republished"], what="a sweep that publishes")
            done = pipeline.wait_until_done(activation_id)
        finally:
            stop_all([again], grace_seconds=5)
        assert (done["status"], done["source"]) == ("completed", "gemini")
        assert len(gemini.calls) == 1


def test_a_queue_that_hangs_does_not_hold_the_user_for_long(tmp_path: Path) -> None:
    need_emulators()
    with FakeGemini() as gemini, running(tmp_path / "run", gemini, emulators=True) as pipeline:
        (pid, *_) = pipeline.processes(naming="pubsub-emulator")
        os.kill(pid, signal.SIGSTOP)
        try:
            started = time.monotonic()
            answer = requests.post(f"{pipeline.url}/activations", json=GOOD, timeout=60)
            held_seconds = time.monotonic() - started
        finally:
            os.kill(pid, signal.SIGCONT)
        assert answer.status_code == 202
        # 4 s in all and a last attempt of 2 s (shared/google/pubsub.py), with room for a slow host.
        assert held_seconds < 20
        done = pipeline.wait_until_done(answer.json()["activation_id"])
        assert done["source"] == "gemini"
        # What the publisher had given up on may arrive after all: one call, all the same.
        assert len(gemini.calls) == 1
