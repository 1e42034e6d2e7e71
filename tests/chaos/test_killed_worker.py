"""A worker that is killed in the middle of a Gemini call: the activation completes all the same."""

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.pipeline import running
from tests.fake_gemini import FakeGemini, held
from tests.support.emulators import need_emulators

SHORT_LEASE = {
    "LEASE_SECONDS": "3",
    "GEMINI_TIMEOUT_SECONDS": "2",
    "GEMINI_MAX_ATTEMPTS": "1",
}


@pytest.mark.parametrize("backend", ["embedded", "emulators"])
def test_an_activation_whose_worker_was_killed_is_taken_over(tmp_path: Path, backend: str) -> None:
    if backend == "emulators":
        need_emulators()
    with (
        FakeGemini() as gemini,
        running(
            tmp_path / "run", gemini, emulators=backend == "emulators", environment=SHORT_LEASE
        ) as pipeline,
    ):
        gemini.next(held())
        activation_id = pipeline.submit()
        gemini.wait_for_calls(1)
        workers = pipeline.processes(naming="local.apps worker")
        assert workers
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        done = pipeline.wait_until_done(activation_id, seconds=90)
        assert (done["status"], done["source"], done["attempt"]) == ("completed", "gemini", 2)
        # The interrupted call and the one that replaced it, no more.
        assert len(gemini.calls) == 2
