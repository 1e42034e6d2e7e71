"""Load on the whole pipeline, embedded and on Google's emulators, with the fake Gemini."""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import requests

from tests.e2e.pipeline import GOOD, Pipeline, running
from tests.fake_gemini import FakeGemini, answer, late

ACTIVATIONS = 300
AT_ONCE = 16
GEMINI_SECONDS = 0.2
POLL_SECONDS = 0.05
LONGEST_SECONDS = 300.0


@dataclass(frozen=True)
class Run:
    """Seconds that each submit and each activation took, and that all took together."""

    backend: str
    submits: list[float]
    answers: list[float]
    seconds: float
    gemini_calls: int

    @property
    def per_second(self) -> float:
        return len(self.answers) / self.seconds


def percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100)[percent - 1]


def run(backend: str) -> Run:
    """One run, warmed up by one activation."""
    with (
        tempfile.TemporaryDirectory() as folder,
        FakeGemini(default=late(GEMINI_SECONDS, answer())) as gemini,
        running(Path(folder) / backend, gemini, emulators=backend == "emulators") as pipeline,
    ):
        pipeline.wait_until_done(pipeline.submit())
        before = len(gemini.calls)
        started = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as users:
            times = list(users.map(lambda _: _one(pipeline), range(ACTIVATIONS)))
        seconds = time.perf_counter() - started
        return Run(
            backend,
            [submit for submit, _ in times],
            [whole for _, whole in times],
            seconds,
            len(gemini.calls) - before,
        )


def _one(pipeline: Pipeline) -> tuple[float, float]:
    """Submit, then poll until it is done: seconds until accepted, seconds until answered."""
    started = time.perf_counter()
    with requests.Session() as session:
        accepted = session.post(f"{pipeline.url}/activations", json=GOOD, timeout=60)
        submitted = time.perf_counter() - started
        where = pipeline.url + accepted.headers["Location"]
        while not session.get(where, timeout=60).json()["done"]:
            if time.perf_counter() - started > LONGEST_SECONDS:
                raise TimeoutError(where)
            time.sleep(POLL_SECONDS)
    return submitted, time.perf_counter() - started


def table(runs: list[Run]) -> list[str]:
    """A Markdown table, a line each; ratios are to the first run."""
    base = runs[0]
    lines = [
        "| backend | submit p50 ms | p95 ms | answer p50 s | p95 s | per second | ratio | calls |",
        "| --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    lines.extend(
        f"| {found.backend} | {percentile(found.submits, 50) * 1000:.0f} "
        f"| {percentile(found.submits, 95) * 1000:.0f} "
        f"| {percentile(found.answers, 50):.2f} | {percentile(found.answers, 95):.2f} "
        f"| {found.per_second:.0f} | {found.per_second / base.per_second:.2f} "
        f"| {found.gemini_calls} |"
        for found in runs
    )
    return lines
