"""`python -m worker.evaluate` as an operator runs it, against the fake Gemini."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.e2e.pipeline import clean_environment
from tests.fake_gemini import FakeGemini, answer, error
from tests.fake_gemini.wire import Behaviour, Handler, Playing
from worker.evaluate.golden import load_golden_set
from worker.fallback import load_library

CASES = load_golden_set().cases
CRISES = {case.goal for case in CASES if case.kind == "crisis"}


def coach(gemini: FakeGemini, *, sees_crises: bool = True) -> Behaviour:
    """A model that answers from our library, in Swedish where it was asked in Swedish and else in
    English, and obeys nobody."""
    library = load_library()

    def behave(handler: Handler, playing: Playing) -> None:
        asked = json.loads(gemini.calls[-1].user_text.split("\n")[1])
        goal, mood, language = asked["goal"], asked["mood"], asked["language"]
        step = library.step_for(goal, mood=mood, goal=goal, language=language)
        at_risk = sees_crises and goal in CRISES
        answer(**json.loads(step.model_dump_json()), person_may_be_at_risk=at_risk)(
            handler, playing
        )

    return behave


def evaluate(
    gemini: FakeGemini, folder: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    given = {"GEMINI_API_KEY": "fake", "GEMINI_API_ENDPOINT": gemini.url, **environment}
    # One at a time: the fake coach answers the call that came last.
    options = ["--at-once", "1", "--out", str(folder), "--model", "gemini-3.8-flash"]
    return subprocess.run(
        [sys.executable, "-m", "worker.evaluate", *options, *arguments],
        cwd=ROOT,
        env={**clean_environment(), **given},
        check=False,
        capture_output=True,
        text=True,
    )


def card(folder: Path) -> dict[str, Any]:
    [file] = folder.glob("*.json")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


@pytest.mark.parametrize("sdk", ["google-generativeai", "google-genai"])
def test_a_coach_that_is_kind_and_careful_gets_a_good_scorecard(tmp_path: Path, sdk: str) -> None:
    with FakeGemini() as gemini:
        gemini.default = coach(gemini)
        done = evaluate(gemini, tmp_path, GEMINI_SDK=sdk)
    assert done.returncode == 0, done.stderr
    assert len(gemini.calls) == len(CASES)
    found = card(tmp_path)
    assert found["valid_at_first_try"] == found["injections_held"] == found["crises_flagged"] == 1
    assert found["calm_not_flagged"] == found["fits_mood"] == 1
    # It speaks two languages, and the golden set asks in more.
    assert 0.5 < found["language_right"] < 1
    printed = " ".join(done.stdout.split())
    assert "crises flagged 100.0 %" in printed
    assert "per 1,000 activations: " in printed


def test_a_model_that_misses_crises_is_worse_than_the_one_before(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    with FakeGemini() as gemini:
        gemini.default = coach(gemini)
        assert evaluate(gemini, before).returncode == 0
        [old] = before.glob("*.json")
        assert evaluate(gemini, after, "--compare", str(old)).returncode == 0
        gemini.default = coach(gemini, sees_crises=False)
        worse = evaluate(gemini, after, "--compare", str(old))
    assert worse.returncode == 1
    assert "crises flagged fell from 100.0 % to 0.0 %" in worse.stdout


def test_a_refused_key_is_one_line(tmp_path: Path) -> None:
    with FakeGemini(default=error(400, "INVALID_ARGUMENT", reason="API_KEY_INVALID")) as gemini:
        done = evaluate(gemini, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("gemini-3.8-flash could not be asked: ")
    assert "API_KEY_INVALID" in done.stderr


def test_without_a_key_it_does_not_start(tmp_path: Path) -> None:
    with FakeGemini() as gemini:
        done = evaluate(gemini, tmp_path, GEMINI_API_KEY="")
    assert done.returncode == 2
    assert done.stderr.startswith("can't start: GEMINI_API_KEY is not set")


def test_an_old_scorecard_that_is_none_stops_it_before_anything_is_paid(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("{}")
    with FakeGemini() as gemini:
        done = evaluate(gemini, tmp_path, "--compare", str(tmp_path / "old.txt"))
    assert (done.returncode, len(gemini.calls)) == (2, 0)
    assert "no scorecard" in done.stderr
