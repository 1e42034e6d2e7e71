"""`python -m worker.cost < logs.jsonl`: what Gemini has cost, from the ledger's lines in the logs.

Takes JSON lines as Cloud Run writes them, also wrapped in `jsonPayload` as `gcloud logging read
--format=json-lines` gives them. Prices are data (gemini/prices.json); an alias is billed as the
model that it stood for on the day of the table.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.domain.activation import Usage
from worker.gemini.prices import Prices, load_prices


@dataclass
class Total:
    """The sum of one model's lines; `fates` counts the claims by how they ended."""

    usage: Usage = field(default_factory=Usage)
    fates: Counter[str] = field(default_factory=Counter)


def add_up(lines: Iterable[str]) -> dict[str, Total]:
    """Totals by model; lines that are not ledger entries are skipped."""
    totals: dict[str, Total] = defaultdict(Total)
    for entry in _entries(lines):
        total = totals[str(entry.get("model"))]
        total.usage = total.usage.plus(Usage.model_validate(entry))
        total.fates[str(entry.get("fate"))] += 1
    return dict(totals)


def report(totals: Mapping[str, Total], prices: Prices) -> Iterator[str]:
    for model, total in sorted(totals.items()):
        usage, cost = total.usage, prices.cost(model, total.usage)
        claims = sum(total.fates.values())
        fates = ", ".join(f"{fate} {count}" for fate, count in sorted(total.fates.items()))
        shown = "no price known" if cost is None else f"{cost:.4f} USD"
        each = "" if cost is None else f", {1000 * cost / claims:.2f} USD per 1,000 claims"
        yield (
            f"{model}: {usage.gemini_calls} calls, {usage.prompt_tokens} tokens in, "
            f"{usage.output_tokens} out, {usage.gemini_ms} ms; {fates}; {shown}{each}"
        )


def _entries(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            entry = entry.get("jsonPayload", entry)
        if isinstance(entry, dict) and entry.get("message") == "gemini.usage":
            yield entry


def main() -> None:
    lines = list(report(add_up(sys.stdin), load_prices()))
    sys.stdout.write("\n".join(lines or ["no ledger lines"]) + "\n")


if __name__ == "__main__":
    main()
