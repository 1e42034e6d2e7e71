"""`python -m worker.cost logs.jsonl`: what Gemini has cost, from the ledger's lines in the logs.

Takes JSON lines as Cloud Run writes them, also wrapped in `jsonPayload` as `gcloud logging read
--format=json-lines` gives them. Prices are data (gemini/prices.json), and those of a line's day
count; a line without a time has today's.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from shared.clock import utc_now
from shared.domain.activation import Usage
from worker.gemini.prices import Prices, load_prices


@dataclass
class Total:
    """The sum of one model's lines; `fates` counts the claims by how they ended.

    `usd` is None for a model without a price.
    """

    usage: Usage = field(default_factory=Usage)
    fates: Counter[str] = field(default_factory=Counter)
    usd: float | None = 0.0


def add_up(lines: Iterable[str], prices: Prices, today: date) -> tuple[dict[str, Total], int]:
    """Totals by model, and how many lines could not be read. Other events are skipped."""
    totals: dict[str, Total] = defaultdict(Total)
    unread = 0
    for line in lines:
        try:
            entry = _entry(line)
            if entry is None:
                continue
            usage = Usage.model_validate(entry)
        except (ValueError, RecursionError):  # no JSON, or no numbers where numbers belong
            unread += 1
            continue
        model = str(entry.get("model"))
        cost = prices.cost(model, usage, _day_of(entry) or today)
        total = totals[model]
        total.usage = total.usage.plus(usage)
        total.fates[str(entry.get("fate"))] += 1
        total.usd = None if cost is None or total.usd is None else total.usd + cost
    return dict(totals), unread


def report(totals: Mapping[str, Total]) -> Iterator[str]:
    for model, total in sorted(totals.items()):
        usage, claims = total.usage, sum(total.fates.values())
        fates = ", ".join(f"{fate} {count}" for fate, count in sorted(total.fates.items()))
        cost = "no price known"
        if total.usd is not None:
            cost = f"{total.usd:.4f} USD, {1000 * total.usd / claims:.2f} USD per 1,000 claims"
        yield (
            f"{model}: {usage.gemini_calls} calls, {usage.prompt_tokens} tokens in "
            f"({usage.cached_tokens} cached), {usage.output_tokens} out, "
            f"{usage.thought_tokens} thoughts, {usage.gemini_ms} ms; {fates}; {cost}"
        )


def _day_of(entry: Mapping[str, Any]) -> date | None:
    try:
        return datetime.fromisoformat(str(entry.get("timestamp")).replace("Z", "+00:00")).date()
    except ValueError:
        return None


def _entry(line: str) -> dict[str, Any] | None:
    """None for a line of another event. Raises ValueError for what is not JSON."""
    logged = json.loads(line) if line.strip() else None
    if not isinstance(logged, dict):
        return None
    entry = logged.get("jsonPayload", logged)
    if not isinstance(entry, dict) or entry.get("message") != "gemini.usage":
        return None
    # Cloud Logging moves the time out of the payload.
    return {"timestamp": logged.get("timestamp"), **entry}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m worker.cost",
        description="Add up the ledger's lines in the worker's logs: calls, tokens and cost.",
    )
    parser.add_argument(
        "file", nargs="?", help="the logs, one JSON object a line (else standard input)"
    )
    file = parser.parse_args(arguments).file
    source = sys.stdin.fileno() if file is None else file
    try:
        with open(source, encoding="utf-8", errors="replace") as lines:  # noqa: PTH123 - or a number
            totals, unread = add_up(lines, load_prices(), utc_now().date())
    except OSError as error:
        parser.exit(2, f"{file}: {error.strerror}\n")
    said = list(report(totals)) or ["no ledger lines"]
    if unread:
        said.append(f"lines that could not be read: {unread}")
    sys.stdout.write("\n".join(said) + "\n")


if __name__ == "__main__":
    main()
