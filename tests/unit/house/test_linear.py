"""No work of ours on what strangers send is worse than linear in its length.

Each parser gets its worst case at its largest size and at a quarter of it. Four times the length
may take four times as long; a quadratic one would take sixteen times. A new regular expression must
be named at a case here, or with those that no stranger's bytes reach.
"""

import ast
import base64
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from waitress.adjustments import Adjustments
from waitress.parser import ParsingError

import ingress.app
from ingress.api.idempotency import checked_key
from ingress.api.request import MAX_BODY_BYTES, MAX_GOAL_CHARACTERS, parse_request
from local.sqlite.store import SqliteStore
from shared.auth.tokens import LONGEST_TOKEN, TokenVerifier
from shared.domain.activation import is_activation_id
from shared.domain.cursor import decode_cursor
from shared.domain.messages import Message, decode
from shared.domain.profile import Profile
from shared.errors import InvalidCursor, MessageNotUnderstood, NothingToVerifyWith, TokenRefused
from shared.http.connections import Parser
from shared.http.problems import Problem
from shared.settings import Settings
from shared.telemetry.traces import context_of
from tests.doubles import FakePublisher
from tests.unit.house.sources import files, parsed
from worker.gemini.adapters.errors import http_failure
from worker.gemini.adapters.response import read_answer
from worker.gemini.port import GeminiError
from worker.http.envelope import unwrap
from worker.safety import signals_self_harm

LONGEST_HEADER = 32 * 1024
"""The largest head of a request that any of the servers takes. Ours take less."""

LONGEST_ANSWER = 64 * 1024
"""More than Gemini's most tokens (MAX_OUTPUT_TOKENS) are as text."""

LONGEST_PROFILE = 8 * 1024

MOST_TIMES_LONGER = 8
NOISE_SECONDS = 0.003
MOST_SECONDS = 0.25
"""All three generous: they tell linear from quadratic, on a machine that does other things too."""

REFUSALS = (
    *(Problem, TokenRefused, NothingToVerifyWith, MessageNotUnderstood, InvalidCursor, GeminiError),
    ParsingError,
)

Worst = Callable[[int], Any]


def repeated(unit: str, before: str = "", after: str = "") -> Worst:
    """Makes a text of about so many characters."""
    return lambda size: before + unit * ((size - len(before) - len(after)) // len(unit)) + after


def as_bytes(worst: Worst) -> Worst:
    return lambda size: worst(size).encode()


def as_base64(worst: Worst) -> Worst:
    return lambda size: base64.urlsafe_b64encode(worst(size * 3 // 4).encode()).decode()


def a_goal(unit: str) -> Worst:
    """As JSON, of so many bytes."""
    return lambda size: repeated(unit, '{"mood": 2, "goal": "', '"}')(
        size // len(unit.encode()) * len(unit)
    ).encode()


@dataclass(frozen=True)
class Case:
    largest: int
    worst: Worst
    run: Callable[[Any], object]
    expressions: tuple[str, ...] = ()
    """Those that the input reaches, as `found` names them."""


def verify(token: str) -> object:
    return TokenVerifier(keys_url="http://127.0.0.1:9/", audience="a", issuers=("i",)).verify(token)


def parse(body: bytes) -> object:
    return parse_request(body, "application/json", None)


def retry_after(header: str) -> object:
    return http_failure(503, None, {"Retry-After": header, "Date": header})


def retry_delay(said: str) -> object:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": said}
    return http_failure(503, {"error": {"details": [info]}}, {})


def missing_model(message: str) -> object:
    return http_failure(404, {"error": {"message": message}}, {})


def refused_key(reason: str) -> object:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}
    return http_failure(403, {"error": {"details": [info]}}, {})


def a_flag(text: str) -> object:
    flags = {"wellbeingFlags": {"suicideRisk": text}}
    return signals_self_harm("a", Profile.model_validate(flags))


def a_wish(goal: str) -> object:
    return signals_self_harm(goal, None)


def a_profile(text: str) -> object:
    """In as many texts as a profile has, of the longest that it takes."""
    parts = [text[start : start + 200] for start in range(0, len(text), 200)]
    traits = {"personalityType": {"traits": parts}}
    return signals_self_harm("a", Profile.model_validate(traits))


OF_SAFETY = (
    *("normalised._HAS_LETTER", "normalised._INSIDE_A_WORD", "normalised._NO_WORD"),
    *("normalised._SPELT_OUT", "normalised._WRITTEN_OUT", "normalised._REPEATED_LETTER"),
    "phrase_language._one_pattern",
)
OF_A_HEADER = (
    *("history._limit", "idempotency._KEY", "idempotency._QUOTED", "request.language_of"),
    "request_ids._ID",
)
OF_A_PATH = ("activation._ID", "activation._RESERVED_ID")
OF_A_FLAG = ("response._RAISED",)
OF_AN_ERROR = ("errors._DURATION",)


def parse_head(head: bytes) -> None:
    Parser(Adjustments()).parse_header(head)


CASES = {
    **{
        f"head: {unit!r}": Case(
            LONGEST_HEADER,
            as_bytes(repeated(unit, before, "\r\n")),
            parse_head,
            ("connections._MANY_BLANKS",),
        )
        for before, unit in (
            ("GET / HTTP/1.1\r\nX: a", " "),
            ("GET / HTTP/1.1\r\nX: a", " " * 63 + "b"),
            ("GET / HTTP/1.1\r\n", "X: a\r\n"),
            ("GET /", "a"),
            ("GET /", " "),
        )
    },
    "body: marks in a goal": Case(MAX_BODY_BYTES, a_goal("\u0301\u0316"), parse),
    "body: spaces in a goal": Case(MAX_BODY_BYTES, a_goal(" "), parse),
    "body: controls in a goal": Case(MAX_BODY_BYTES, a_goal("\u202e"), parse),
    "body: escapes in a goal": Case(MAX_BODY_BYTES, a_goal("\\u0301\\u0316"), parse),
    "body: lists": Case(MAX_BODY_BYTES, as_bytes(repeated("[")), parse),
    "body: digits": Case(MAX_BODY_BYTES, as_bytes(repeated("1", '{"mood": ')), parse),
    "body: keys": Case(MAX_BODY_BYTES, as_bytes(repeated('"a": 1, ', "{", '"mood": 1}')), parse),
    "body: digits in a profile": Case(
        MAX_BODY_BYTES,
        as_bytes(repeated("1", '{"mood": 1, "goal": "a", "profile": {"x": 0.', "}}")),
        parse,
    ),
    "id: letters": Case(LONGEST_HEADER, repeated("a"), is_activation_id, OF_A_PATH),
    "id: underscores": Case(64, repeated("_", "", "a"), is_activation_id, OF_A_PATH),
    "idempotency key: quotes": Case(LONGEST_HEADER, repeated('"'), checked_key),
    "cursor: digits": Case(LONGEST_HEADER, as_base64(repeated("1")), decode_cursor),
    "cursor: an id": Case(LONGEST_HEADER, as_base64(repeated("a", "1 ")), decode_cursor),
    "cursor: padding": Case(LONGEST_HEADER, repeated("="), decode_cursor),
    "traceparent": Case(LONGEST_HEADER, repeated("0", "00-"), context_of),
    "token: dots": Case(LONGEST_TOKEN, repeated("."), verify),
    "token: lists": Case(LONGEST_TOKEN, as_base64(repeated("[")), verify),
    "push: data": Case(
        2**20, as_bytes(repeated("A", '{"message": {"messageId": "1", "data": "', '"}}')), unwrap
    ),
    "push: an id": Case(2**20, as_bytes(repeated("a", '{"message": {"messageId": "')), unwrap),
    "push: lists": Case(2**20, as_bytes(repeated("[")), unwrap),
    "message: lists": Case(2**20, as_bytes(repeated("[")), lambda body: decode(Message(body))),
    "answer: newlines in a fence": Case(LONGEST_ANSWER, repeated("\n", "```", "x"), read_answer),
    "answer: spaces in a fence": Case(LONGEST_ANSWER, repeated(" ", "```\n", "x"), read_answer),
    "answer: flags": Case(
        LONGEST_ANSWER, repeated('"person_may_be_at_risk"'), read_answer, OF_A_FLAG
    ),
    "answer: spaces after a flag": Case(
        LONGEST_ANSWER, repeated(" ", '"person_may_be_at_risk"', "x"), read_answer, OF_A_FLAG
    ),
    "answer: fences": Case(LONGEST_ANSWER, repeated("```\n"), read_answer),
    "answer: lists": Case(LONGEST_ANSWER, repeated("["), read_answer),
    "answer: keys": Case(LONGEST_ANSWER, repeated('"a": 1, ', "{", '"b": 1}'), read_answer),
    "retry delay: digits": Case(LONGEST_ANSWER, repeated("1", "1."), retry_delay, OF_AN_ERROR),
    "retry after: digits": Case(LONGEST_ANSWER, repeated("1"), retry_after, OF_AN_ERROR),
    "missing model: names": Case(
        LONGEST_ANSWER, repeated("gemini-"), missing_model, ("errors._MODEL",)
    ),
    "refused key: letters": Case(LONGEST_ANSWER, repeated("A"), refused_key, ("errors._REASON",)),
    "retry after: words": Case(LONGEST_ANSWER, repeated("a "), retry_after),
    "retry after: dashes": Case(LONGEST_ANSWER, repeated("-"), retry_after),
    "retry after: a time": Case(LONGEST_ANSWER, repeated("1:", "Mon, 1 Jan 2026 "), retry_after),
    **{
        f"wish: {unit!r}": Case(MAX_GOAL_CHARACTERS, repeated(unit), a_wish, OF_SAFETY)
        for unit in (
            *(
                "a ",
                "a",
                "ab",
                "vilintelev",
                "a'",
                "'",
                " ",
                "_",
                "\u0301\u0316",
                "\ufdfa",
                "0",
                "@a",
            ),
            *("vill inte ", "dö ", "ta livet ", "kill my ", "want to ", "i want to be ", "att "),
            *("jeg vil ikke ", "jeg tenker på å ", "en halua ", "ich will nicht ", "no quiero "),
            *("je ne veux plus ", "nie chcę ", "لا اريد ", "ما عاد بدي "),
            *("take all my ", "everyone would be better ", "every time the train comes i "),
        )
    },
    **{
        f"profile: {unit!r}": Case(LONGEST_PROFILE, repeated(unit), a_profile, OF_SAFETY)
        for unit in ("vill inte ", "i want to be ", "every time the train comes i ")
    },
    **{
        f"flag: {before!r}{unit!r}": Case(
            200, repeated(unit, before, "x"), a_flag, (*OF_SAFETY, "safety._NUMBER")
        )
        for before, unit in (("1", " "), ("1", "1"), ("1/", " "), ("", " "), ("", "\u0301\u0316"))
    },
}

NO_STRANGER = {
    "phrase_language._PIECE": "reads our own phrases",
    "settings._ENDPOINT": "an operator's",
    "settings._ORIGIN": "an operator's",
    "settings._SECRET_VERSION": "an operator's",
}

HEADERS = {
    # Each where it is read: whatever the path, a problem names the language.
    "Accept-Language": ("POST", "/activations"),
    "Access-Control-Request-Headers": ("OPTIONS", "/activations"),
    "Authorization": ("POST", "/activations"),
    "Content-Type": ("POST", "/activations"),
    "Cookie": ("POST", "/activations"),
    "Idempotency-Key": ("POST", "/activations"),
    "If-None-Match": ("GET", "/app/"),
    "Origin": ("OPTIONS", "/activations"),
    "Prefer": ("POST", "/activations"),
    "Range": ("GET", "/app/main.js"),
    "X-Forwarded-For": ("POST", "/activations"),
    "X-Request-Id": ("GET", "/"),
    "traceparent": ("GET", "/"),
}
UNITS = ("a,", ",", ";a=b", "a;q=0.1,", '"', '\\"', " ", "1", '"a",', "a-", "=")


def seconds(run: Callable[[Any], object], given: Any) -> float:
    """The least CPU time of this thread in five runs."""
    best = float("inf")
    for _ in range(5):
        begun = time.thread_time()
        with suppress(*REFUSALS):
            run(given)
        best = min(best, time.thread_time() - begun)
    return best


def is_linear(case: Case) -> bool:
    small = seconds(case.run, case.worst(case.largest // 4))
    large = seconds(case.run, case.worst(case.largest))
    return large < min(MOST_SECONDS, MOST_TIMES_LONGER * small + NOISE_SECONDS)


@pytest.fixture
def client(store: SqliteStore) -> FlaskClient:
    """Behind Cloud Run's front end, and called from another origin: all headers are read."""
    origins = ("https://app.example",)
    settings = Settings(auth="none", k_service="ingress", cors_allowed_origins=origins)
    return ingress.app.create_app(settings, store, FakePublisher()).test_client()


@pytest.mark.parametrize("name", CASES)
def test_it_takes_linear_time(name: str) -> None:
    assert is_linear(CASES[name])


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("name", HEADERS)
def test_a_header_takes_linear_time(client: FlaskClient, name: str, unit: str) -> None:
    method, path = HEADERS[name]
    origin = {"Origin": "https://app.example"} if method == "OPTIONS" else {}

    def ask(value: str) -> object:
        return client.open(path, method=method, headers={**origin, name: value}).status_code

    assert is_linear(Case(LONGEST_HEADER, repeated(unit), ask))


@pytest.mark.parametrize("unit", ["1", "a=&", "&", "%41", "limit=1&", "="])
@pytest.mark.parametrize("name", ["cursor", "limit"])
def test_a_query_takes_linear_time(client: FlaskClient, name: str, unit: str) -> None:
    def ask(query: str) -> object:
        return client.get(f"/activations?{name}={query}").status_code

    assert is_linear(Case(LONGEST_HEADER, repeated(unit), ask))


def test_a_quadratic_expression_is_found() -> None:
    """The one that read Gemini's fences once."""
    once = re.compile(r"```\s*\n(?P<inside>.*?)\n?\s*```\s*\Z", re.DOTALL)
    assert not is_linear(Case(8000, repeated(" ", "```\n", "x"), once.match))


# Every expression is looked at


def found() -> Iterator[str]:
    """`module.NAME` of a constant, `module.function` where it is made or used in one."""
    for name in files("ingress", "worker", "shared"):
        path = Path(name)
        stem = path.parent.name if path.stem == "__init__" else path.stem
        for top in parsed(name).body:
            if any(_is_expression(node) for node in ast.walk(top)):
                yield f"{stem}.{_name_of(top)}"


def _is_expression(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.")


def _name_of(top: ast.stmt) -> str:
    return ast.unparse(top.targets[0]) if isinstance(top, ast.Assign) else getattr(top, "name", "?")


def test_every_regular_expression_has_its_worst_case() -> None:
    """But pydantic's patterns: its engine, Rust's, is linear whatever the pattern is."""
    cases = {name for case in CASES.values() for name in case.expressions}
    assert set(found()) == {*cases, *OF_A_HEADER, *NO_STRANGER}


@pytest.mark.parametrize("name", files("ingress", "worker", "shared"))
def test_expressions_are_called_by_their_full_name(name: str) -> None:
    """So that the test above sees them."""
    nodes = ast.walk(parsed(name))
    assert not [n for n in nodes if isinstance(n, ast.ImportFrom) and n.module == "re"]
