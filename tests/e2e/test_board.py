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
