"""SIGTERM in the middle of a Gemini call: the call is finished in the grace, or the claim is given
back before the kill, so that nobody waits for the lease."""

from pathlib import Path

import pytest

from tests.e2e.pipeline import running
from tests.fake_gemini import FakeGemini, answer, held, late
from tests.support.emulators import need_emulators


@pytest.mark.parametrize("backend", ["embedded", "emulators"])
def test_a_call_that_outlasts_the_grace_is_taken_up_elsewhere_long_before_its_lease(
    tmp_path: Path, backend: str
) -> None:
    emulators = backend == "emulators"
    if emulators:
        need_emulators()
    lease = {"LEASE_SECONDS": "500"}  # far longer than this test may take
    with (
        FakeGemini() as gemini,
        running(tmp_path / "run", gemini, emulators=emulators, environment=lease) as pipeline,
    ):
        gemini.next(held())
        activation_id = pipeline.submit()
        gemini.wait_for_calls(1)
        pipeline.terminate("worker")
        assert "claim.given_back" in pipeline.output
        assert "fate=released" in pipeline.output  # in the ledger: the call that was cut
        done = pipeline.wait_until_done(activation_id, seconds=60)
        # The attempt was given back: it was not the message's fault.
        assert (done["source"], done["attempt"]) == ("gemini", 1)
        assert len(gemini.calls) == 2


def test_a_call_that_ends_within_the_grace_is_finished(tmp_path: Path) -> None:
    with FakeGemini() as gemini, running(tmp_path / "run", gemini) as pipeline:
        gemini.next(late(2, answer()))
        activation_id = pipeline.submit()
        gemini.wait_for_calls(1)
        pipeline.terminate("worker")
        done = pipeline.wait_until_done(activation_id)
        assert (done["source"], done["attempt"]) == ("gemini", 1)
        assert len(gemini.calls) == 1
        assert "claim.given_back" not in pipeline.output
