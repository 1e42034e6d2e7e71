"""`python -m worker.evaluate`: ask the golden set of the configured models, print a scorecard.

It pays for one call a case and model; `bench.estimate` says about how much.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from shared.clock import utc_now
from shared.errors import SettingsError
from shared.settings import Settings, read_settings
from shared.start import run
from shared.start_checks import check_gemini
from worker.evaluate.ask import ask_all
from worker.evaluate.golden import load_golden_set
from worker.evaluate.scorecard import Scorecard, lines_of, regressions, score
from worker.gemini.key import with_gemini_key
from worker.gemini.port import GeminiError
from worker.gemini.prices import load_prices
from worker.gemini.prompt import VERSION
from worker.wiring import build_sdk

FOLDER = Path(".data/evaluations")


def main(arguments: Sequence[str] | None = None) -> int:
    """0; 1 for a regression or a model that could not be asked. Raises SettingsError."""
    asked = _parsed(arguments)
    settings = with_gemini_key(read_settings())
    check_gemini(settings)
    if not settings.asks_gemini:
        raise SettingsError("GEMINI_API_KEY is not set: expected a key, to ask a model")
    old = _read(asked.compare) if asked.compare else None
    models = asked.model or settings.gemini_models
    cards = []
    for model in models:
        try:
            card = _evaluate(settings, model, asked.at_once)
        except GeminiError as error:
            print(f"{model} could not be asked: {error}", file=sys.stderr)
            return 1
        _show(card, asked.out)
        cards.append(card)
    return _compared(old, cards[0]) if old else 0


def _evaluate(settings: Settings, model: str, at_once: int) -> Scorecard:
    golden = load_golden_set()
    return score(
        ask_all(build_sdk(settings, model), golden.cases, at_once=at_once),
        model=model,
        prompt_version=VERSION,
        golden_version=golden.version,
        prices=load_prices(),
        on=utc_now().date(),
    )


def _show(card: Scorecard, folder: Path) -> None:
    print("\n".join(lines_of(card)))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{card.day}-{card.prompt_version}-{card.model}.json"
    file.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    print(f"  written to {file}")


def _compared(old: Scorecard, new: Scorecard) -> int:
    try:
        worse = list(regressions(old, new))
    except ValueError as error:
        print(f"can't compare: {error}", file=sys.stderr)
        return 1
    print(f"compared with {old.model}, prompt {old.prompt_version}, {old.day}:")
    print("\n".join(f"  {line}" for line in worse or ["nothing became worse"]))
    return 1 if worse else 0


def _read(file: Path) -> Scorecard:
    try:
        return Scorecard.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        what = "no scorecard" if isinstance(error, ValidationError) else str(error)
        raise SettingsError(f"--compare {file}: {what}") from None


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m worker.evaluate", description=__doc__)
    parser.add_argument(
        "--model",
        action="append",
        help="again for another; else the configured",
    )
    parser.add_argument("--at-once", type=int, choices=range(1, 17), default=4, metavar="N")
    parser.add_argument(
        "--out", type=Path, default=FOLDER, metavar="FOLDER", help=f"for the JSON ({FOLDER})"
    )
    parser.add_argument(
        "--compare", type=Path, metavar="OLD.json", help="exit 1 if the first model is worse"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    run(main)
