"""What telemetry costs: `python -m bench.telemetry`. The embedded pipeline with no collector, one
that answers, one that hangs and one that is away: time of a submit, and of the end."""

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from bench.compare.figures import percentile
from tests.e2e.pipeline import GOOD, Pipeline, running
from tests.fake_gemini import FakeGemini
from tests.support.emulators import free_port
from tests.support.otlp_receiver import OtlpReceiver

SUBMITS = 400
AT_ONCE = 8
ROUNDS = 3
COLLECTORS = ("none", "answers", "hangs", "away")


@dataclass(frozen=True)
class Measured:
    submits: list[float]
    seconds_to_end: float
    log_lines: int


@contextmanager
def address(collector: str) -> Iterator[str]:
    with OtlpReceiver() as receiver:
        if collector == "hangs":
            receiver.hangs.set()
        found = {"none": "", "away": f"http://127.0.0.1:{free_port()}"}
        yield found.get(collector, receiver.url)


def measure(collector: str) -> Measured:
    with (
        tempfile.TemporaryDirectory() as folder,
        FakeGemini() as gemini,
        address(collector) as url,
        running(Path(folder) / "run", gemini, environment=_environment(url)) as pipeline,
    ):
        pipeline.wait_until_done(pipeline.submit())
        with ThreadPoolExecutor(AT_ONCE) as users:
            submits = list(users.map(lambda _: _submit(pipeline), range(SUBMITS)))
        for _ in range(3):  # until the last one is answered: the end would wait for it
            pipeline.wait_until_done(pipeline.submit(), seconds=240)
        began = time.perf_counter()
        pipeline.stop()
        ended = time.perf_counter() - began
        return Measured(submits, ended, pipeline.output.count("telemetry."))


def _environment(url: str) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "500"} if url else {}


def _submit(pipeline: Pipeline) -> float:
    began = time.perf_counter()
    requests.post(f"{pipeline.url}/activations", json=GOOD, timeout=60).raise_for_status()
    return time.perf_counter() - began


def main() -> None:
    # Round by round, so that what else the machine does falls on all of them.
    rounds = [{c: measure(c) for c in COLLECTORS} for _ in range(ROUNDS)]
    print("| collector | submit p50 ms | p95 ms | end s | log lines in a run |")
    print("| --- | --: | --: | --: | --: |")
    for collector in COLLECTORS:
        runs = [found[collector] for found in rounds]
        submits = [seconds for one in runs for seconds in one.submits]
        ends = ", ".join(f"{one.seconds_to_end:.1f}" for one in runs)
        p50, p95 = (1000 * percentile(submits, percent) for percent in (50, 95))
        lines = ", ".join(str(one.log_lines) for one in runs)
        print(f"| {collector} | {p50:.0f} | {p95:.0f} | {ends} | {lines} |")


if __name__ == "__main__":
    main()
