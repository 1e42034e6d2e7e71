"""The ledger of a campaign as a table, its states over time as an SVG, and both as JSON."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from tests.chaos.campaign.auditor import Findings, summary
from tests.chaos.campaign.history import EndState, History
from tests.chaos.campaign.plan import Plan

NAMED = 8
"""So many ids of each count stand in the table; all of them in the JSON."""

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 960, 420, 50, 30, 90
COLOURS = {
    "gemini": "#4f8a5b",
    "fallback": "#d9a441",
    "safety": "#7a6fb0",
    "cancelled": "#9a9a9a",
    "open": "#c94f4f",
}
Point = tuple[float, float]


def table(plan: Plan, history: History, findings: Findings, notes: Sequence[str]) -> str:
    promised = {promise.activation_id for promise in history.promises}
    calls = Counter(call.kind for call in history.calls)
    faults = Counter(window.what for window in history.windows)
    rows: list[tuple[str, object]] = [
        ("backend", plan.backend),
        ("seed", plan.seed),
        ("journeys", len(plan.journeys)),
        ("activations promised", len(promised)),
        ("  and in the store", len(promised & set(history.stored))),
        ("in the store", len(history.stored)),
        *((f"  {name}", number) for name, number in summary(list(history.stored.values())).items()),
        ("calls that Gemini served", len(history.calls)),
        *((f"  {name}", number) for name, number in sorted(calls.items())),
        ("calls in the ledger", sum(line.calls for line in history.ledger)),
        ("faults", sum(faults.values())),
        *((f"  {name}", number) for name, number in sorted(faults.items())),
    ]
    lines = [f"{name:<36} {value}" for name, value in rows]
    lines += ["", "must be 0"]
    for name, found in findings.items():
        lines.append(f"  {name:<34} {len(found)}")
        lines += [f"      {one}" for one in found[:NAMED]]
        lines += [f"      … and {len(found) - NAMED} more"] if len(found) > NAMED else []
    lines += [f"note: {note}" for note in notes]
    return "\n".join(lines)


def write(folder: Path, plan: Plan, history: History, findings: Findings, start: float) -> None:
    told: dict[str, Any] = {
        "plan": asdict(plan),
        "start": start,
        "findings": findings,
        "statuses": dict(sorted(history.statuses.items())),
        "ended": summary(list(history.stored.values())),
        "calls": [asdict(call) for call in history.calls],
        "ledger": [asdict(line) for line in history.ledger],
        "windows": [asdict(window) for window in history.windows],
        "worker_ends": [asdict(end) for end in history.worker_ends],
        "promises": [asdict(promise) for promise in history.promises],
        "stored": [asdict(found) for found in history.stored.values()],
    }
    (folder / "campaign.json").write_text(json.dumps(told, ensure_ascii=False, indent=1))
    (folder / "states.svg").write_text("\n".join(drawing(plan, history, start)))


def drawing(plan: Plan, history: History, start: float) -> Iterator[str]:
    """What was accepted, by what became of it; below it, which faults were felt when."""
    found = list(history.stored.values())
    last = max((max(one.updated, one.created) for one in found), default=start + 1)
    seconds = max(plan.seconds, last - start, 1.0)
    most = max(len(found), 1)

    def at(moment: float, number: float) -> Point:
        x = LEFT + (WIDTH - LEFT - 20) * (moment - start) / seconds
        return round(x, 1), round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * number / most, 1)

    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="11">'
    )
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    title = f"{plan.backend}, seed {plan.seed}: {len(found)} activations by what became of them"
    yield f'<text x="{LEFT}" y="18" font-size="13">{escape(title)}</text>'
    yield from _areas(found, start, seconds, at)
    yield from _faults(history, start, at)
    for tick in range(0, int(seconds) + 1, 30):
        x, _ = at(start + tick, 0)
        yield f'<text x="{x}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{tick} s</text>'
    for number in (0, most // 2, most):
        _, y = at(start, number)
        yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{number}</text>'
    for index, (name, colour) in enumerate(COLOURS.items()):
        x = LEFT + 110 * index
        yield f'<rect x="{x}" y="{HEIGHT - 20}" width="10" height="10" fill="{colour}"/>'
        yield f'<text x="{x + 14}" y="{HEIGHT - 11}">{name}</text>'
    yield "</svg>"


def _areas(
    found: Sequence[EndState], start: float, seconds: float, at: Callable[[float, float], Point]
) -> Iterator[str]:
    moments = [start + second for second in range(int(seconds) + 2)]
    below = [0] * len(moments)
    for name, colour in COLOURS.items():
        above = [
            low + sum(_as_of(one, moment) == name for one in found)
            for low, moment in zip(below, moments, strict=True)
        ]
        points = [at(m, n) for m, n in zip(moments, above, strict=True)]
        points += [at(m, n) for m, n in reversed(list(zip(moments, below, strict=True)))]
        said = " ".join(f"{x},{y}" for x, y in points)
        yield f'<polygon points="{said}" fill="{colour}"/>'
        below = above


def _as_of(one: EndState, moment: float) -> str | None:
    if one.created > moment:
        return None
    if not one.done or one.updated > moment:
        return "open"
    return one.source or one.status


def _faults(history: History, start: float, at: Callable[[float, float], Point]) -> Iterator[str]:
    """Those that keep everybody from answering stand in the first row, the others in the second."""
    for window in history.windows:
        (x, bottom), (end, _) = at(max(window.start, start), 0), at(window.end, 0)
        y, colour = (bottom + 20, "#c94f4f") if window.excuses else (bottom + 36, "#8888cc")
        width = max(2.0, round(end - x, 1))
        yield (
            f'<rect x="{x}" y="{y}" width="{width}" height="12" fill="{colour}" opacity="0.6">'
            f"<title>{escape(window.what)}</title></rect>"
        )
