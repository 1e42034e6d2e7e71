"""The ledgers of campaigns (`make chaos`), side by side in docs/reliability.md."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

Run = dict[str, Any]
"""What tests/chaos/campaign/report.py writes as campaign.json."""

_SECTION = re.compile(r"(<!-- ledgers -->\n).*?(<!-- end of ledgers -->)", re.DOTALL)


def read(folder: Path) -> Run:
    run: Run = json.loads((folder / "campaign.json").read_text(encoding="utf-8"))
    return {**run, "states": (folder / "states.svg").read_text(encoding="utf-8")}


def with_ledgers(document: str, runs: Sequence[Run], when: str) -> str:
    written = "\n".join(_section(runs, when))
    return _SECTION.sub(lambda found: f"{found[1]}\n{written}\n\n{found[2]}", document)


def write_drawings(folder: Path, runs: Sequence[Run]) -> None:
    """In the place of those that are there."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for run in runs:
        (folder / f"{_name(run)}.svg").write_text(run["states"], encoding="utf-8")


def _section(runs: Sequence[Run], when: str) -> Iterator[str]:
    yield f"Run on {when}."
    yield ""
    yield "| | " + " | ".join(_name(run).replace("-", ", seed ") for run in runs) + " |"
    yield "| --- |" + " --: |" * len(runs)
    yield from _rows(runs)
    yield ""
    yield (
        "What became of the activations over time; below it, when which faults were felt. Red: the"
        " worker or the store was away, so an answer may wait for the next undisturbed sweep."
    )
    for run in runs:
        yield ""
        yield f"![{_name(run)}: states over time](reliability/{_name(run)}.svg)"


def _rows(runs: Sequence[Run]) -> Iterator[str]:
    endings = sorted({ending for run in runs for ending in run["ended"]})
    columns = [_counts(run, endings) for run in runs]
    for name in columns[0]:
        yield f"| {name} | " + " | ".join(f"{column[name]:,}" for column in columns) + " |"


def _counts(run: Run, endings: Sequence[str]) -> dict[str, int]:
    return {
        "submits asked for": len(run["plan"]["journeys"]),
        "activations accepted": len({promise["activation_id"] for promise in run["promises"]}),
        "at the end in the store; the others were erased": len(run["stored"]),
        **{f"· {ending}": run["ended"].get(ending, 0) for ending in endings},
        "calls that reached Gemini": len(run["calls"]),
        "· of them paid": sum(call["paid"] for call in run["calls"]),
        "faults": len(run["windows"]),
        "· of so many kinds": len({window["what"] for window in run["windows"]}),
        **{f"**{finding}**": len(found) for finding, found in run["findings"].items()},
    }


def _name(run: Run) -> str:
    return f"{run['plan']['backend']}-{run['plan']['seed']}"
