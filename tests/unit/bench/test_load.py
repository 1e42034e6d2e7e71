"""The load generator of `make bench`, against the fake Gemini."""

import asyncio
from typing import Any

import pytest

from bench.compare.load import Generator, Load, Refused, Seen
from tests.fake_gemini import FakeGemini, error


def generate(gemini: FakeGemini, **changes: Any) -> Seen:
    fields: dict[str, Any] = {"asks": "gemini", "clients": 3, "activations": 7, "seconds": 30}
    return asyncio.run(Generator(Load(url=gemini.url, **{**fields, **changes})).run())


def test_a_closed_loop_ends_when_all_activations_are_done() -> None:
    with FakeGemini() as gemini:
        seen = generate(gemini)
    assert sorted(number for number, *_ in seen.activations) == list(range(7))
    assert gemini.connections == 3


def test_an_open_loop_posts_each_activation_once() -> None:
    with FakeGemini() as gemini:
        seen = generate(gemini, clients=0, per_second=1000.0)
    assert sorted(number for number, *_ in seen.activations) == list(range(7))


def test_a_busy_answer_is_asked_again_and_counted() -> None:
    with FakeGemini() as gemini:
        gemini.next(error(503))
        seen = generate(gemini)
    assert (seen.busy, len(seen.activations)) == (1, 7)


def test_any_other_error_ends_the_run() -> None:
    with FakeGemini() as gemini:
        gemini.next(error(429))
        with pytest.raises(Refused, match="429"):
            generate(gemini)
