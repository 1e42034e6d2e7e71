"""A collector that hangs or is away: nobody notices but the log, and it in one line each."""

import time
from pathlib import Path

import pytest

from shared.drain import GRACE_SECONDS
from tests.e2e.pipeline import QUICKLY, running
from tests.fake_gemini import FakeGemini
from tests.support.emulators import free_port
from tests.support.eventually import eventually
from tests.support.otlp_receiver import OtlpReceiver

pytestmark = pytest.mark.alone

SERVICES = 2


@pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "is away"])
def test_activations_are_answered_and_the_end_is_not_delayed(tmp_path: Path, hangs: bool) -> None:
    with OtlpReceiver() as receiver, FakeGemini() as gemini:
        receiver.hangs.set()
        url = receiver.url if hangs else f"http://127.0.0.1:{free_port()}"
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
            **QUICKLY,
        }
        with running(tmp_path / "run", gemini, environment=environment) as pipeline:
            for _ in range(5):
                assert pipeline.wait_until_done(pipeline.submit())["source"] == "gemini"
            eventually(
                lambda: pipeline.output.count("telemetry.not_exported") == SERVICES,
                what="both services' line",
            )
            begun = time.monotonic()
            assert pipeline.stop() == 0
            assert time.monotonic() - begun < GRACE_SECONDS
            assert pipeline.output.count("telemetry.not_exported") == SERVICES
            assert pipeline.output.count("[warning") + pipeline.output.count("[error") == SERVICES
            assert "Traceback" not in pipeline.output
