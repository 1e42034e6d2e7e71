"""Firestore away: a submit is refused in time, and nothing is published."""

import os
import signal
import time
from pathlib import Path

import requests

from tests.e2e.pipeline import GOOD, running
from tests.fake_gemini import FakeGemini
from tests.support.emulators import need_emulators


def test_a_submit_while_firestore_is_away_is_a_503_within_its_deadline(tmp_path: Path) -> None:
    need_emulators()
    with FakeGemini() as gemini, running(tmp_path / "run", gemini, emulators=True) as pipeline:
        for pid in pipeline.processes(naming="CloudFirestore"):
            os.kill(pid, signal.SIGKILL)
        started = time.monotonic()
        answer = requests.post(f"{pipeline.url}/activations", json=GOOD, timeout=60)
        seconds = time.monotonic() - started
        assert answer.status_code == 503
        assert answer.headers["Content-Type"] == "application/problem+json"
        # 6 s and a last attempt of 3 s (shared/google/firestore.py), with room for a slow host.
        assert seconds < 20
        assert gemini.calls == []
        ready = requests.get(f"{pipeline.url}/readyz", timeout=60)
        assert ready.status_code == 503
        assert "store" in ready.json()["reasons"]
        assert requests.get(f"{pipeline.url}/livez", timeout=60).status_code == 200
