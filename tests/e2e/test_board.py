"""The board of a running pipeline sees what happens."""

import re

import requests

from tests.e2e.pipeline import Pipeline
from tests.support.eventually import eventually


def answered(pipeline: Pipeline) -> int:
    page = requests.get(f"{pipeline.worker_url}/board", timeout=30)
    assert page.status_code == 200, page.text
    found = re.search(r"<h2>Answered today</h2>\s*<p class=\"figure\">(\d+)</p>", page.text)
    assert found, page.text
    return int(found[1])


def test_an_activation_is_on_the_board_seconds_later(pipeline: Pipeline) -> None:
    before = answered(pipeline)
    pipeline.wait_until_done(pipeline.submit())
    eventually(lambda: answered(pipeline) == before + 1, what="the count's rise")
    page = requests.get(f"{pipeline.worker_url}/board", timeout=30).text
    assert "closed</p>" in page
    assert "321 tokens in, 123 out" in page
    assert "komma igång" not in page


def test_the_story_of_an_activation_is_told_from_what_the_store_holds(pipeline: Pipeline) -> None:
    activation_id = pipeline.submit()
    pipeline.wait_until_done(activation_id)
    where = f"{pipeline.worker_url}/board/activations/{activation_id}"
    told = requests.get(where, headers={"Accept": "application/json"}, timeout=30)
    events = [event["what"] for event in told.json()["events"]]
    assert events[:2] == ["Submitted", "A worker claimed it"]
    assert events[-1] == "Answered by Gemini"
    assert "komma igång" not in told.text
