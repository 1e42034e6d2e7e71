"""How long answers took: a histogram on a roughly logarithmic axis, and percentiles."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

EDGES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0)
"""Seconds, two or three times the one before: from a library's answer to the default deadline."""


@dataclass(frozen=True)
class Bucket:
    """Answers in at most `up_to` seconds and not in a smaller bucket; None has no upper limit."""

    up_to: float | None
    sources: Mapping[str, int]

    @property
    def count(self) -> int:
        return sum(self.sources.values())


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Percentiles in seconds; None where nothing was answered."""

    buckets: tuple[Bucket, ...]
    p50: float | None
    p95: float | None


def latency_of(answers: Iterable[tuple[float, str]]) -> Latency:
    """From pairs of seconds and source."""
    counted: list[Counter[str]] = [Counter() for _ in range(len(EDGES) + 1)]
    took = []
    for seconds, source in answers:
        counted[bisect_left(EDGES, seconds)][source] += 1
        took.append(seconds)
    took.sort()
    return Latency(
        buckets=tuple(map(Bucket, (*EDGES, None), counted)),
        p50=percentile(took, 0.50),
        p95=percentile(took, 0.95),
    )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """By nearest rank: the smallest value that at least `share` of the values do not exceed."""
    if not ordered:
        return None
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
