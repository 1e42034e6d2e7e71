"""Coordinates of the board's drawings. Horizontal ones are in percent and vertical ones in pixels,
so that text keeps its size at any width. Zero is at the top, as in SVG."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.domain.activation import Source, Status
from worker.board.latency import EDGES, Bucket, Latency

KINDS_OF_SOURCE: tuple[Source, ...] = ("gemini", "fallback", "safety")
KINDS_OF_STATE: tuple[Status, ...] = ("completed", "processing", "queued", "cancelled")

TOP, FLOOR = 44, 228
"""Pixels. The percentiles and the highest column's number stand above, the axis' labels below."""

LEAST_HEIGHT = 3.0
"""Pixels, so that one answer in a thousand is still visible."""

WIDE = 100.0
GAP = 0.16
"""Share of a column's width."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A part of a horizontal bar: how many are of this `kind`. `x` and `width` are in percent."""

    kind: str
    count: int
    share: float
    x: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Block:
    """One source's part of a column, in pixels."""

    kind: str
    count: int
    y: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Column:
    """One bucket. `edge` is the axis' label at its `end`; the last bucket has none."""

    x: float
    width: float
    middle: float
    end: float
    edge: str
    meaning: str
    count: int
    top: float
    blocks: tuple[Block, ...]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A percentile on the axis. Near the right end its name stands `before` it."""

    name: str
    seconds: float
    x: float
    y: float
    before: bool


def segments(counts: Mapping[str, int], kinds: Sequence[str]) -> tuple[Segment, ...]:
    """In the order of `kinds`, then those of a later release; what counts nothing has no width."""
    total = sum(counts.values())
    found, x = [], 0.0
    for kind in _all_kinds(counts, kinds):
        count = counts.get(kind, 0)
        share = count / total if total else 0.0
        width = share * WIDE
        found.append(Segment(kind=kind, count=count, share=share, x=x, width=width))
        x += width
    return tuple(found)


def _all_kinds(counts: Mapping[str, int], known: Sequence[str]) -> tuple[str, ...]:
    return (*known, *sorted(counts.keys() - set(known)))


def columns(latency: Latency) -> tuple[Column, ...]:
    highest = max(bucket.count for bucket in latency.buckets)
    room = WIDE / len(latency.buckets)
    return tuple(
        _column(index, bucket, room, highest) for index, bucket in enumerate(latency.buckets)
    )


def _column(index: int, bucket: Bucket, room: float, highest: int) -> Column:
    blocks = tuple(_blocks(bucket, highest))
    below = EDGES[index - 1] if index else 0.0
    more = bucket.up_to is None
    return Column(
        x=index * room + room * GAP / 2,
        width=room * (1 - GAP),
        middle=(index + 0.5) * room,
        end=(index + 1) * room,
        edge="" if more else f"{bucket.up_to:g}",
        meaning=f"more than {below:g} s" if more else f"{below:g} to {bucket.up_to:g} s",
        count=bucket.count,
        top=min((block.y for block in blocks), default=FLOOR),
        blocks=blocks,
    )


def _blocks(bucket: Bucket, highest: int) -> Iterator[Block]:
    floor = float(FLOOR)
    for kind in _all_kinds(bucket.sources, KINDS_OF_SOURCE):
        count = bucket.sources.get(kind, 0)
        if count:
            height = max(LEAST_HEIGHT, (FLOOR - TOP) * count / highest)
            floor -= height
            yield Block(kind=kind, count=count, y=floor, height=height)


def percentile_marks(latency: Latency) -> tuple[Mark, ...]:
    wanted = (("p50", latency.p50, 12.0), ("p95", latency.p95, 28.0))
    return tuple(
        Mark(name=name, seconds=seconds, x=place(seconds), y=y, before=place(seconds) > 70)
        for name, seconds, y in wanted
        if seconds is not None
    )


def place(seconds: float) -> float:
    """Percent from the left, interpolated within the bucket; in the open last one its middle."""
    index = bisect_left(EDGES, seconds)
    below = EDGES[index - 1] if index else 0.0
    inside = 0.5 if index == len(EDGES) else (seconds - below) / (EDGES[index] - below)
    return (index + inside) * WIDE / (len(EDGES) + 1)
