"""What Gemini's tokens cost, by model: list prices from prices.json, with their date and source."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.domain.activation import Usage

A_MILLION = 1_000_000


@dataclass(frozen=True)
class Prices:
    """US dollars for a million tokens, by model."""

    models: Mapping[str, Mapping[str, float]]
    aliases: Mapping[str, str]

    def cost(self, model: str, usage: Usage) -> float | None:
        """US dollars; None for a model that the table does not know."""
        price = self.models.get(self.aliases.get(model, model))
        if price is None:
            return None
        billed_as_output = usage.output_tokens + usage.thought_tokens
        paid = usage.prompt_tokens * price["input"] + billed_as_output * price["output"]
        return paid / A_MILLION


def load_prices() -> Prices:
    table = json.loads(Path(__file__).with_name("prices.json").read_text("utf-8"))
    return Prices(table["models"], table["aliases"])
