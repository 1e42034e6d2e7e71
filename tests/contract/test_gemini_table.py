"""Each behaviour of Gemini × both SDKs × one or two models, from the wire to the answer, with
injected waiting.

`make test` prints the table that this measures (tests/conftest.py): which model was asked,
seconds of waiting, what the user gets and why.
"""

import dataclasses
import json
from dataclasses import dataclass

import pytest

from shared.settings import Settings
from tests.builders import NOON, a_decider, an_activation, step_fields
from tests.doubles import FakeTime
from tests.fake_gemini import (
    Behaviour,
    FakeGemini,
    answer,
    blocked_prompt,
    cut,
    drip,
    error,
    finish,
    hang,
    raw,
    reset,
    texts,
)
from tests.support.tables import GEMINI, RecordProperty, Row
from worker.gemini.client import GeminiClient
from worker.gemini.plan import Limits
from worker.pipeline.decide import Decider, Pause
from worker.wiring import build_model

ATTEMPTS = 3
ATTEMPT_SECONDS = 0.4
"""Real seconds: a hang is cut for real, only the pauses between attempts are injected."""


@dataclass(frozen=True)
class Case:
    """`most_waited` is the bound of the jittered backoff; asked-for pauses are exact."""

    name: str
    behaviour: Behaviour
    calls: int
    ends: str
    most_waited: float = 0.0
    then: Behaviour | None = None


@dataclass(frozen=True)
class Pair:
    """What Gemini does on each call, and the models that are asked: as "112"."""

    name: str
    behaviours: tuple[Behaviour, ...]
    asked: str
    ends: str
    most_waited: float = 0.0


BACKOFF = 1.0 + 2.0
RETRIED = "fallback: unavailable"

DAILY = error(429, retry_delay="3s", quota_id="GenerateRequestsPerDay")

FLAGGED = answer(duration=500, person_may_be_at_risk=True)

CASES = [
    Case("a valid step", answer(), 1, "gemini"),
    Case("fenced JSON", texts(f"```json\n{json.dumps(step_fields())}\n```"), 1, "gemini"),
    Case("500 always", error(500), 3, "fallback: unavailable", BACKOFF),
    Case("503 always", error(503), 3, "fallback: unavailable", BACKOFF),
    Case("503 once", error(503), 2, "gemini", 1.0, answer()),
    Case("504 always", error(504), 3, "fallback: timeout", BACKOFF),
    Case("hang", hang(), 3, "fallback: timeout", BACKOFF),
    Case("drip", drip(0.05), 3, "fallback: timeout", BACKOFF),
    Case("reset", reset(), 3, "fallback: unavailable", BACKOFF),
    Case("cut body", cut(), 3, "fallback: unavailable", BACKOFF),
    Case("HTML 200", raw(b"<html>"), 3, "fallback: unavailable", BACKOFF),
    Case("429, RetryInfo 4 s, once", error(429, retry_delay="4s"), 2, "gemini", 4.0, answer()),
    Case("429, RetryInfo 53 s", error(429, retry_delay="53s"), 1, "released for 53 s"),
    Case("429, RetryInfo 900 s", error(429, retry_delay="900s"), 1, "fallback: quota"),
    Case("429, quota of a day", DAILY, 1, "fallback: quota"),
    Case("429 without RetryInfo", error(429), 3, "fallback: quota", BACKOFF),
    Case("400", error(400), 1, "fallback: misconfigured"),
    Case("401", error(401), 1, "fallback: misconfigured"),
    Case("403", error(403), 1, "fallback: misconfigured"),
    Case("404", error(404), 1, "fallback: misconfigured"),
    Case("prompt blocked", blocked_prompt("OTHER"), 1, "fallback: blocked"),
    Case("SAFETY", finish("SAFETY"), 1, "safety"),
    Case("SAFETY, of another harm", finish("SAFETY", HARASSMENT="HIGH"), 1, "fallback: blocked"),
    Case("RECITATION", finish("RECITATION"), 1, "fallback: blocked"),
    Case("MAX_TOKENS", finish("MAX_TOKENS"), 2, "fallback: invalid_output"),
    Case("schema violated always", answer(duration=500), 2, "fallback: invalid_output"),
    Case("schema violated once", answer(duration=500), 2, "gemini", then=answer()),
    Case("schema violated, flag raised", FLAGGED, 1, "safety", then=answer()),
    Case("a gateway's 503", raw(b'{"error": "overloaded"}', 503), 3, RETRIED, BACKOFF),
    Case("503 of another shape", raw(b'[{"error": {}}]', 503), 3, RETRIED, BACKOFF),
    Case("503, error null", raw(b'{"error": null}', 503), 3, RETRIED, BACKOFF),
    Case("200, nested too deeply", raw(b'{"a":' * 5000, 200), 3, RETRIED, BACKOFF),
    Case("200, candidates are none", raw(b'{"candidates": [1]}'), 3, RETRIED, BACKOFF),
    Case("307", raw(b"", 307), 1, "fallback: misconfigured"),
    Case("broken JSON always", texts("{"), 2, "fallback: invalid_output"),
]


QUOTA = error(429, retry_delay="53s")
SHORTER = error(429, retry_delay="30s")
TWO_503 = (error(503), error(503))
INVALID = answer(duration=500)

PAIRS = [
    Pair("429, then a step", (QUOTA, answer()), "12", "gemini"),
    Pair("429 of a day, then a step", (DAILY, answer()), "12", "gemini"),
    Pair("429: 53 s, then 30 s", (QUOTA, SHORTER), "12", "released for 30 s"),
    Pair("429: 53 s, then 503s", (QUOTA, *TWO_503), "122", "released for 53 s", 2.0),
    Pair("429 of a day from both", (DAILY, DAILY), "12", "fallback: quota"),
    Pair("503 twice, then a step", (*TWO_503, answer()), "112", "gemini", 1.0),
    Pair("503 always", (error(503),) * 3, "112", "fallback: unavailable", 1.0),
    Pair("invalid twice, then a step", (INVALID, INVALID, answer()), "112", "gemini"),
    Pair("invalid always", (INVALID,) * 3, "112", "fallback: invalid_output"),
    Pair("429, invalid, then a step", (QUOTA, INVALID, answer()), "122", "gemini"),
    Pair("404, then a step", (error(404), answer()), "12", "gemini"),
    Pair("400", (error(400),), "1", "fallback: misconfigured"),
    Pair("403", (error(403),), "1", "fallback: misconfigured"),
    Pair("prompt blocked", (blocked_prompt("OTHER"),), "1", "fallback: blocked"),
]


@pytest.mark.parametrize("sdk", ["google-generativeai", "google-genai"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_behaviour_ends_as_the_classification_says(
    case: Case, sdk: str, time: FakeTime, record_property: RecordProperty
) -> None:
    with FakeGemini(default=case.then or case.behaviour) as gemini:
        gemini.next(case.behaviour)
        settings = reaching(gemini, sdk, gemini_fallback_model="")
        ended = _answerer(settings, time).decide(an_activation(), NOON)
        calls = len(gemini.calls)
    row = Row(case.name, sdk, "1" * calls, sum(time.slept), _said(ended))
    record_property(GEMINI, str(row))
    assert (calls, row.ends) == (case.calls, case.ends)
    assert row.waited <= case.most_waited
    assert ended.usage.gemini_calls == calls


@pytest.mark.parametrize("sdk", ["google-generativeai", "google-genai"])
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_each_answer_of_two_models_ends_as_the_plan_says(
    pair: Pair, sdk: str, time: FakeTime, record_property: RecordProperty
) -> None:
    with FakeGemini(default=error(418)) as gemini:
        gemini.next(*pair.behaviours)
        settings = reaching(gemini, sdk)
        ended = _answerer(settings, time).decide(an_activation(), NOON)
    first, _ = settings.gemini_models
    asked = "".join("1" if f"/{first}:" in call.path else "2" for call in gemini.calls)
    row = Row(pair.name, sdk, asked, sum(time.slept), _said(ended))
    record_property(GEMINI, str(row))
    assert (row.asked, row.ends) == (pair.asked, pair.ends)
    assert row.waited <= pair.most_waited
    assert ended.usage.gemini_calls == len(ended.attempts) == len(asked)


def reaching(gemini: FakeGemini, sdk: str, **changes: str) -> Settings:
    fields = {"gemini_sdk": sdk, "gemini_api_key": "k", "gemini_api_endpoint": gemini.url}
    return Settings.model_validate({**fields, **changes})


def _answerer(settings: Settings, time: FakeTime) -> Decider:
    """As worker/wiring.py builds it, but for the waiting."""
    client = GeminiClient(
        [build_model(settings, name) for name in settings.gemini_models],
        Limits(attempts=ATTEMPTS, attempt_seconds=ATTEMPT_SECONDS, max_sleep_seconds=5),
        monotonic=time.monotonic,
        sleep=time.sleep,
    )
    return dataclasses.replace(a_decider(client), monotonic=time.monotonic)


def _said(ended: object) -> str:
    if isinstance(ended, Pause):
        return f"released for {(ended.until - NOON).total_seconds():g} s"
    reason = getattr(ended, "fallback_reason", None)
    source = getattr(ended, "source", "")
    return f"{source}: {reason}" if reason else str(source)
