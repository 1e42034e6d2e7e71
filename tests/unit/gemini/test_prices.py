"""The table of prices: what counts on which day."""

from datetime import date, datetime, timezone

import pytest

from shared.domain.activation import Usage
from shared.settings import Settings
from worker.gemini.prices import Price, Prices, load_prices

OLD = Price(input=1.0, cached=0.1, output=5.0)
NEW = Price(input=2.0, cached=0.2, output=10.0)
NEW_YEAR = date(2027, 1, 1)
PRICES = Prices(
    {"m": [(date(2026, 9, 2), OLD), (NEW_YEAR, NEW)], "before": [(date(2026, 1, 1), NEW)]},
    {"latest": [(date(2026, 1, 1), "before"), (date(2026, 9, 2), "m")]},
)
A_MILLION_IN = Usage(prompt_tokens=1_000_000)


@pytest.mark.parametrize(
    ("on", "usd"),
    [
        (date(2026, 1, 1), 1.0),  # before the first row
        (date(2026, 9, 2), 1.0),
        (date(2026, 12, 31), 1.0),
        (NEW_YEAR, 2.0),
    ],
)
def test_a_price_counts_from_its_day_on(on: date, usd: float) -> None:
    assert PRICES.cost("m", A_MILLION_IN, on) == usd


def test_an_alias_is_the_model_of_the_day() -> None:
    assert PRICES.cost("latest", A_MILLION_IN, date(2026, 9, 1)) == 2.0
    assert PRICES.cost("latest", A_MILLION_IN, date(2026, 9, 2)) == 1.0


def test_thoughts_are_billed_as_output_and_cached_tokens_for_less() -> None:
    usage = Usage(
        prompt_tokens=1_000_000,
        cached_tokens=500_000,
        output_tokens=100_000,
        thought_tokens=300_000,
    )
    assert OLD.of(usage) == pytest.approx(0.5 + 0.05 + 0.5 + 1.5)


def test_a_model_that_the_table_does_not_know_has_no_cost() -> None:
    assert PRICES.cost("unheard of", A_MILLION_IN, NEW_YEAR) is None


def test_the_default_models_have_a_price_today() -> None:
    today = datetime.now(timezone.utc).date()
    defaults = [
        field.default
        for name, field in Settings.model_fields.items()
        if name in ("gemini_model", "gemini_fallback_model")
    ]
    assert defaults
    for model in defaults:
        assert load_prices().cost(model, A_MILLION_IN, today), model


def test_the_introductory_price_of_38_flash_ends_with_the_year() -> None:
    prices = load_prices()
    assert prices.cost("gemini-3.8-flash", A_MILLION_IN, date(2026, 12, 31)) == 0.75
    assert prices.cost("gemini-3.8-flash", A_MILLION_IN, NEW_YEAR) == 1.5


def test_each_list_is_in_the_order_of_time_and_each_alias_names_a_model() -> None:
    prices = load_prices()
    for rows in (*prices.models.values(), *prices.aliases.values()):
        days = [since for since, _ in rows]
        assert days == sorted(set(days))
    named = {model for rows in prices.aliases.values() for _, model in rows}
    assert named <= prices.models.keys()
