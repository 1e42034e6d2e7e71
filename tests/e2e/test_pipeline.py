"""POST → write → publish → push → Gemini → write back → GET, on both backends, as processes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from shared.settings import Settings
from tests.builders import a_step, step_fields
from tests.e2e.pipeline import GOOD, KEY, Pipeline, running
from tests.e2e.queues import listening
from tests.fake_gemini import FakeGemini, answer, error, held
from tests.support.eventually import eventually
from worker.gemini.prompt import SYSTEM_INSTRUCTION

MANY = 200
CANARY = "kanariefågel-7391"


@pytest.fixture(autouse=True)
def counted_from_zero(gemini: FakeGemini) -> None:
    gemini.calls.clear()
    gemini.released.clear()


def test_a_submit_is_answered_by_gemini(pipeline: Pipeline, gemini: FakeGemini) -> None:
    activation_id = pipeline.submit(goal="sova bättre", language="en")
    shown = pipeline.wait_until_done(activation_id)
    assert (shown["status"], shown["source"], shown["attempt"]) == ("completed", "gemini", 1)
    assert shown["step"] == step_fields()
    assert shown["usage"]["gemini_calls"] == 1
    assert "sova bättre" in gemini.calls[0].user_text


def test_the_first_frontends_route_waits_for_the_flat_answer(pipeline: Pipeline) -> None:
    answer = requests.post(f"{pipeline.url}/gemini/getActivation", json=GOOD, timeout=60)
    assert answer.status_code == 200
    assert len(answer.json()) == 17
    assert answer.json()["title"] == a_step().title


def test_a_failing_gemini_still_ends_in_a_step(pipeline: Pipeline, gemini: FakeGemini) -> None:
    gemini.next(error(403, "PERMISSION_DENIED"))
    shown = pipeline.wait_until_done(pipeline.submit())
    assert (shown["source"], shown["fallback_reason"]) == ("fallback", "misconfigured")
    assert shown["step"]["title"]


def test_where_the_first_model_is_out_of_quota_the_second_answers_and_the_history_says_so(
    pipeline: Pipeline, gemini: FakeGemini
) -> None:
    gemini.next(error(429, "RESOURCE_EXHAUSTED", retry_delay="37s"), answer())
    shown = pipeline.wait_until_done(pipeline.submit())
    models = Settings().gemini_models
    asked = [call.path.rpartition("/")[2].partition(":")[0] for call in gemini.calls]
    assert tuple(asked) == models
    assert [one["outcome"] for one in shown["attempts"]] == ["quota", "ok"]
    assert [one["model"] for one in shown["attempts"]] == [models[0], shown["model"]]
    assert (shown["source"], shown["usage"]["gemini_calls"]) == ("gemini", 2)


def test_a_goal_that_signals_self_harm_gets_care_and_is_not_sent_to_gemini(
    pipeline: Pipeline, gemini: FakeGemini
) -> None:
    shown = pipeline.wait_until_done(pipeline.submit(goal="jag vill inte leva längre"))
    assert (shown["source"], shown["usage"]["gemini_calls"]) == ("safety", 0)
    assert "90101" in shown["step"]["description"]
    assert gemini.calls == []


def test_nothing_personal_is_in_the_logs_even_when_they_tell_everything(
    tmp_path: Path, pipeline: Pipeline
) -> None:
    """Canaries in the goal, the profile, the answer, the key and a token; with LOG_LEVEL=DEBUG."""
    with (
        FakeGemini(default=answer(title=f"{CANARY} svar")) as gemini,
        running(
            tmp_path / "debug",
            gemini,
            emulators=pipeline.emulators,
            environment={"LOG_LEVEL": "DEBUG"},
        ) as talkative,
    ):
        gemini.next(answer(duration=500, title=f"{CANARY} ogiltig"))
        profile = {"focusArea": CANARY, "wellbeingFlags": {"depressionRisk": CANARY}}
        body = {**GOOD, "goal": f"{CANARY} mål", "profile": profile}
        token = {"Authorization": f"Bearer {CANARY}"}
        accepted = requests.post(
            f"{talkative.url}/activations", json=body, headers=token, timeout=30
        )
        shown = talkative.wait_until_done(accepted.json()["activation_id"])
        requests.post(f"{talkative.url}/activations", json={"mood": 9, "goal": CANARY}, timeout=30)
        requests.post(f"{talkative.worker_url}/pubsub/push", data=CANARY, timeout=30)
        assert shown["step"]["title"] == f"{CANARY} svar"
        assert len(gemini.calls) == 2
        talkative.stop()
        said = talkative.output
    assert shown["activation_id"] in said
    assert CANARY not in said
    assert KEY not in said
    assert SYSTEM_INSTRUCTION.splitlines()[0] not in said


@pytest.mark.timeout(300)
def test_of_many_at_once_each_is_completed_by_exactly_one_call(
    pipeline: Pipeline, gemini: FakeGemini
) -> None:
    with ThreadPoolExecutor(50) as submitters:
        ids = list(submitters.map(lambda _: pipeline.submit(), range(MANY)))
        shown = list(submitters.map(lambda i: pipeline.wait_until_done(i, 240), ids))
    assert len(set(ids)) == MANY
    assert {s["source"] for s in shown} == {"gemini"}
    assert {s["attempt"] for s in shown} == {1}
    assert len(gemini.calls) == MANY


def test_the_same_message_published_five_times_more_calls_gemini_no_more(
    pipeline: Pipeline, gemini: FakeGemini
) -> None:
    with listening(pipeline) as queue:
        gemini.next(held())
        activation_id = pipeline.submit()
        gemini.wait_for_calls(1)
        message = queue.message_of(activation_id)
        gemini.released.set()
        done = pipeline.wait_until_done(activation_id)
        for _ in range(5):
            queue.publish(message)
        eventually(lambda: duplicates_acked(pipeline, activation_id) == 5, what="five deliveries")
    assert len(gemini.calls) == 1
    assert pipeline.show(activation_id) == done


def test_both_services_are_live_and_ready(pipeline: Pipeline) -> None:
    for url in (pipeline.url, pipeline.worker_url):
        for path in ("/livez", "/readyz"):
            assert requests.get(url + path, timeout=30).status_code == 200


def duplicates_acked(pipeline: Pipeline, activation_id: str) -> int:
    lines = pipeline.output.splitlines()
    return sum("not_taken" in line and activation_id in line and "done" in line for line in lines)
