"""The arithmetic: percentiles, medians of rounds with their spread, and the table."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from bench.compare.measure import SLOW_SECONDS, WAIT, Measured, crowd
from bench.compare.systems import SLOTS

SERVICES = ("web", "worker", "dispatcher", "redis")
"""What counts as a system's own: Google's emulators stand for services that others run."""


def percentile(values: Sequence[float], percent: int) -> float:
    """Between the smallest and the largest value; of one value, that."""
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[percent - 1]


@dataclass(frozen=True)
class Spread:
    """The median of several rounds, and their ends."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, rounds: Iterable[float]) -> "Spread":
        values = sorted(rounds)
        return cls(median(values), values[0], values[-1])

    def shown(self, digits: int = 0) -> str:
        """With the ends where they differ from the median."""
        middle, least, most = (
            f"{value:,.{digits}f}" for value in (self.middle, self.least, self.most)
        )
        return middle if least == most else f"{middle} ({least}–{most})"


def services(by_process: dict[str, float]) -> float:
    return sum(amount for name, amount in by_process.items() if name in SERVICES)


HEAD = (
    "system",
    "A act/s",
    "A CPU",
    "A MiB",
    "B act/s",
    "B %",
    "C POST",
    "C to Gemini",
    "C over p50",
    "C over p95",
    "C CPU",
    "C calls",
)
LEGEND = (
    "A: 64 clients at once, Gemini 0 ms. act/s: activations a second. CPU: seconds per 1,000.",
    "B: 200 clients, 64 slots, Gemini 1 s. %: of the 64 a second that the slots allow.",
    "C: 5 a second arrive by chance, Gemini 200 ms. Median ms until the POST is answered, until",
    "Gemini is asked, and over Gemini's own until the client knows. calls: of Gemini, for each.",
)


def table(measured: Sequence[Measured]) -> list[str]:
    """In Markdown, a line each: the medians of the rounds, and in brackets their ends."""
    rows = [list(HEAD)]
    for name in dict.fromkeys(each.system for each in measured):
        ours = [each for each in measured if each.system == name]
        rows.append(_row(name, ours, ""))
        if any(each.scenario.endswith(WAIT) for each in ours):
            rows.append(_row(f"{name}, `Prefer: wait`", ours, WAIT))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    return [
        "| "
        + " | ".join(map(str.ljust, row[:1], widths))
        + " | "
        + " | ".join(map(str.rjust, row[1:], widths[1:]))
        + " |"
        for row in rows
    ]


def _row(name: str, measured: Sequence[Measured], wait: str) -> list[str]:
    crowds = [each for each in measured if each.scenario == crowd(SLOTS) and not wait]
    slots = [each for each in measured if each.scenario == f"slots{wait}"]
    steady = [each for each in measured if each.scenario == f"steady{wait}"]
    return [
        name,
        _cell(crowds, lambda each: each.per_second),
        _cell(crowds, lambda each: services(each.cpu), 1),
        _cell(crowds, lambda each: services(each.rss)),
        _cell(slots, lambda each: each.per_second, 1),
        _cell(slots, lambda each: 100 * each.per_second * SLOW_SECONDS / SLOTS),
        _cell(steady, lambda each: percentile(each.accepted, 50), 1),
        _cell(steady, lambda each: percentile(each.to_gemini, 50), 1),
        _cell(steady, lambda each: percentile(each.overhead, 50), 1),
        _cell(steady, lambda each: percentile(each.overhead, 95)),
        _cell(steady, lambda each: services(each.cpu), 1),
        _cell(steady, lambda each: each.gemini_calls / each.activations, 3),
    ]


def _cell(rounds: Sequence[Measured], of: Callable[[Measured], float], digits: int = 0) -> str:
    return Spread.of(map(of, rounds)).shown(digits) if rounds else ""
