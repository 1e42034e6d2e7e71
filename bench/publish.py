"""The plain publish RPC against the batching client, one at a time and under load.

`python -m bench.publish` on Google's emulator.
"""

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from google.cloud import pubsub_v1

from shared.domain.messages import Message
from shared.google import pubsub
from shared.google.pubsub import PubSubPublisher
from tests.support.emulators import PROJECT, running_emulators

TOPIC = "bench"
DATA = b"x" * 1500
"""About the size of one of our messages."""

MESSAGES = 1000
THREADS = (1, 8, 32)
ROUNDS = 5

Publish = Callable[[], None]


@dataclass(frozen=True)
class Cost:
    """Of one message, in milliseconds: what a request waits for, and what it burns."""

    latency_p50: float
    wall: float
    cpu: float


def measure(publish: Publish, threads: int) -> Cost:
    latencies: list[float] = []

    def timed(_: int) -> None:
        started = time.perf_counter()
        publish()
        latencies.append(time.perf_counter() - started)

    with ThreadPoolExecutor(threads) as pool:
        wall, cpu = time.perf_counter(), time.process_time()
        list(pool.map(timed, range(MESSAGES)))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Cost(median(latencies) * 1000, wall / MESSAGES * 1000, cpu / MESSAGES * 1000)


def compare(plain: Publish, batching: Publish, threads: int) -> tuple[Cost, Cost]:
    """The medians of several rounds, taken in turn, so that noise meets both."""
    rounds = [(measure(plain, threads), measure(batching, threads)) for _ in range(ROUNDS)]
    return _median([r[0] for r in rounds]), _median([r[1] for r in rounds])


def report() -> list[str]:
    """A Markdown table, a line each."""
    with tempfile.TemporaryDirectory() as folder, running_emulators(Path(folder)) as emulators:
        with emulators.found_by_libraries():
            client = pubsub.connect()
            batcher = pubsub_v1.PublisherClient()
        client.create_topic(name=client.topic_path(PROJECT, TOPIC))
        publisher = PubSubPublisher(client, PROJECT, TOPIC)
        topic = batcher.topic_path(PROJECT, TOPIC)
        lines = [
            "| threads | plain: ms | CPU ms | batching: ms | CPU ms | ratio of ms | of CPU |",
            "| --: | --: | --: | --: | --: | --: | --: |",
        ]
        for threads in THREADS:
            plain, batching = compare(
                lambda: publisher.publish(Message(DATA)),
                lambda: batcher.publish(topic, DATA).result(timeout=30),
                threads,
            )
            lines.append(
                f"| {threads} | {plain.latency_p50:.2f} | {plain.cpu:.2f} "
                f"| {batching.latency_p50:.2f} | {batching.cpu:.2f} "
                f"| {batching.latency_p50 / plain.latency_p50:.1f} "
                f"| {batching.cpu / plain.cpu:.1f} |"
            )
        batcher.stop()
        return lines


def _median(costs: list[Cost]) -> Cost:
    return Cost(
        median(cost.latency_p50 for cost in costs),
        median(cost.wall for cost in costs),
        median(cost.cpu for cost in costs),
    )


if __name__ == "__main__":
    print("\n".join(report()))
