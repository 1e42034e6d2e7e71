"""What the API promises about work under way, on both backends, as processes."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.e2e.pipeline import GOOD, Pipeline
from tests.fake_gemini import FakeGemini, held
from tests.support.eventually import eventually

AT_ONCE = 20


@pytest.fixture(autouse=True)
def counted_from_zero(gemini: FakeGemini, pipeline: Pipeline) -> None:
    requests.delete(f"{pipeline.url}/activations", timeout=30)
    gemini.calls.clear()
    gemini.released.clear()


def listed(pipeline: Pipeline) -> list[dict[str, object]]:
    answer = requests.get(f"{pipeline.url}/activations", timeout=30)
    items: list[dict[str, object]] = answer.json()["items"]
    return items


def test_a_key_sent_twenty_times_at_once_is_one_activation_and_one_call(
    pipeline: Pipeline, gemini: FakeGemini
) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}

    def submit(_: int) -> requests.Response:
        return requests.post(f"{pipeline.url}/activations", json=GOOD, headers=key, timeout=30)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(submit, range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {202}
    (activation_id,) = {answer.json()["activation_id"] for answer in answers}
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    pipeline.wait_until_done(activation_id)
    assert len(gemini.calls) == 1
    assert len(listed(pipeline)) == 1


@pytest.mark.parametrize("path", ["/activations/{}", "/activations"])
def test_what_is_erased_during_its_gemini_call_does_not_come_back(
    pipeline: Pipeline, gemini: FakeGemini, path: str
) -> None:
    gemini.next(held())
    activation_id = pipeline.submit()
    gemini.wait_for_calls(1)
    erased = requests.delete(f"{pipeline.url}{path.format(activation_id)}", timeout=30)
    assert erased.status_code == 204
    dropped = pipeline.output.count("activation.dropped")
    gemini.released.set()
    eventually(lambda: pipeline.output.count("activation.dropped") > dropped, what="the drop")
    assert listed(pipeline) == []
    pipeline.sweep()
    assert listed(pipeline) == []
    assert len(gemini.calls) == 1


def test_a_long_poll_ends_when_the_step_is_there(pipeline: Pipeline, gemini: FakeGemini) -> None:
    gemini.next(held())
    activation_id = pipeline.submit()
    gemini.wait_for_calls(1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            requests.get,
            f"{pipeline.url}/activations/{activation_id}",
            headers={"Prefer": "wait=30"},
            timeout=60,
        )
        gemini.released.set()
        answer = waiting.result(60)
    assert answer.json()["status"] == "completed"
    assert answer.headers["Preference-Applied"] == "wait=30"


def test_a_cancelled_one_stays_cancelled_when_gemini_answers(
    pipeline: Pipeline, gemini: FakeGemini
) -> None:
    gemini.next(held())
    activation_id = pipeline.submit()
    gemini.wait_for_calls(1)
    own = f"{pipeline.url}/activations/{activation_id}"
    assert requests.post(f"{own}/cancel", timeout=30).json()["status"] == "cancelled"
    dropped = pipeline.output.count("activation.dropped")
    gemini.released.set()
    eventually(lambda: pipeline.output.count("activation.dropped") > dropped, what="the drop")
    assert pipeline.show(activation_id)["status"] == "cancelled"
