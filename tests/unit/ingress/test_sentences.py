"""What is wrong with a request is said in sentences for people, in both languages."""

import json
import re
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from ingress.api.history import MOST
from ingress.api.request import (
    MAX_GOAL_CHARACTERS,
    MAX_PROFILE_BYTES,
    SHORTEST_DEADLINE_SECONDS,
    ActivationRequest,
    parse_request,
)
from ingress.api.sentences import (
    BLANK,
    CONTROL_CHARACTER,
    CURSOR,
    DEADLINE_TOO_LATE,
    GOAL_TOO_LONG,
    LIMIT,
    MISSING,
    PROFILE_TOO_LARGE,
    UNKNOWN,
    WRONG,
)
from shared.http.problems import Problem
from shared.http.translations import say

ODD = [
    None,
    True,
    5,
    -5,
    1.5,
    10**400,
    "",
    "x",
    "x" * 501,
    "\u0007",
    [],
    [5],
    ["x"] * 51,
    {},
    {"a": 1},
]
"""Each is wrong somewhere, and in its own way."""

SENTENCES = {
    *MISSING.values(),
    *WRONG.values(),
    *(BLANK, CONTROL_CHARACTER, GOAL_TOO_LONG, PROFILE_TOO_LARGE, UNKNOWN),
}


def everywhere(odd: object) -> Iterator[bytes]:
    """A request that has it in the place of one of its parts."""
    yield json.dumps(odd).encode()
    for pointer in [*filter(None, WRONG), "/unknown"]:
        value: Any = odd
        for name in reversed(pointer.split("/")[1:]):
            value = {name: value}
        yield json.dumps({"mood": 3, "goal": "x", **value}).encode()


def said_of(body: bytes) -> list[str]:
    try:
        parse_request(body, "application/json", None)
    except Problem as problem:
        return [error["detail"] for error in problem.errors]
    return []


def test_whatever_is_wrong_is_said_in_a_sentence_of_ours() -> None:
    """And each of our sentences is said of something."""
    bodies = [body for odd in ODD for body in everywhere(odd)]
    too_large = {"profile": {"unknown": "x" * MAX_PROFILE_BYTES}}
    bodies += [b"{}", json.dumps(too_large).encode()]
    assert {said for body in bodies for said in said_of(body)} == SENTENCES


@pytest.mark.parametrize("sentence", sorted({*SENTENCES, CURSOR, DEADLINE_TOO_LATE, LIMIT}))
def test_what_is_wrong_is_said_in_swedish_too(sentence: str) -> None:
    assert say(sentence, "sv") != sentence
    assert re.fullmatch(r"[A-Z].*\.", sentence)
    assert re.fullmatch(r"[A-ZÅÄÖ].*\.", say(sentence, "sv"))


def parts(model: type[BaseModel], pointer: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        here = f"{pointer}/{field.alias or name}"
        yield here
        for inner in typing.get_args(field.annotation):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from parts(inner, here)


def test_every_part_of_a_request_has_a_sentence_and_nothing_else_has() -> None:
    assert {"", *parts(ActivationRequest)} == set(WRONG)


def test_the_sentences_have_the_numbers_that_count() -> None:
    assert f"{MAX_GOAL_CHARACTERS} " in GOAL_TOO_LONG
    assert f"{MAX_PROFILE_BYTES // 1024} KiB" in PROFILE_TOO_LARGE
    assert f"{SHORTEST_DEADLINE_SECONDS}." in WRONG["/deadline_seconds"]
    assert f"to {MOST}." in LIMIT
