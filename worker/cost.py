"""`python -m worker.cost < logs.jsonl`: what Gemini has cost, from the ledger's lines in the logs.

Takes JSON lines as Cloud Run writes them, also wrapped in `jsonPayload` as `gcloud logging read
--format=json-lines` gives them. Prices are data (gemini/prices.json), and those of a line's day
count; a line without a time has today's.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
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


def add_up(lines: Iterable[str], prices: Prices, today: date) -> dict[str, Total]:
    """Totals by model; lines that are not ledger entries are skipped."""
    totals: dict[str, Total] = defaultdict(Total)
    for entry in _entries(lines):
        model, usage = str(entry.get("model")), Usage.model_validate(entry)
        cost = prices.cost(model, usage, _day_of(entry) or today)
        total = totals[model]
        total.usage = total.usage.plus(usage)
        total.fates[str(entry.get("fate"))] += 1
        total.usd = None if cost is None or total.usd is None else total.usd + cost
    return dict(totals)


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


def _entries(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            logged = json.loads(line)
        except ValueError:
            continue
        entry = logged.get("jsonPayload", logged) if isinstance(logged, dict) else None
        if isinstance(entry, dict) and entry.get("message") == "gemini.usage":
            # Cloud Logging moves the time out of the payload.
            yield {"timestamp": logged.get("timestamp"), **entry}


def main() -> None:
    today = utc_now().date()
    lines = list(report(add_up(sys.stdin, load_prices(), today)))
    sys.stdout.write("\n".join(lines or ["no ledger lines"]) + "\n")


if __name__ == "__main__":
    main()
