"""Every error of an app is an RFC 9457 problem."""

import re
from typing import Any

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient
from werkzeug.exceptions import TooManyRequests
from werkzeug.test import TestResponse

from shared.errors import BackendError, Conflict, StoreUnavailable
from shared.http.problems import CONTENT_TYPE, Problem, install_problems

CANARY = "kanariefågel"
MOST_BYTES = 100


@pytest.fixture
def client() -> FlaskClient:
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    install_problems(app)
    for path, raised in RAISED.items():
        app.add_url_rule(path, path, raises(raised), methods=["GET", "PUT"])
    app.add_url_rule("/echo", "echo", lambda: Response(request.get_data()), methods=["POST"])
    return app.test_client()


RAISED: dict[str, Exception] = {
    "/problem": Problem(
        422,
        errors=[
            {"pointer": "/mood", "detail": "Må är ett tal till {most}."},
            {"pointer": "/goal", "detail": "Write it down."},
        ],
        values={"most": 5},
        headers={"Retry-After": "7"},
        activation_id="a1",
    ),
    "/plain": Problem(409, "It is completed already."),
    "/store": StoreUnavailable(CANARY),
    "/conflict": Conflict(CANARY),
    "/backend": BackendError(CANARY),
    "/bug": ValueError(CANARY),
    "/key": KeyError(CANARY),
    "/too-many": TooManyRequests(),
}


def raises(error: Exception) -> Any:
    def route() -> None:
        raise error

    return route


def test_a_problem_has_its_status(client: FlaskClient) -> None:
    assert client.get("/problem").status_code == 422


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("type", "about:blank"),
        ("status", 422),
        ("detail", "Må är ett tal till 5. Write it down."),
        (
            "errors",
            [
                {"pointer": "/mood", "detail": "Må är ett tal till 5."},
                {"pointer": "/goal", "detail": "Write it down."},
            ],
        ),
        ("activation_id", "a1"),
    ],
)
def test_a_problem_has_the_member(client: FlaskClient, member: str, value: object) -> None:
    body = client.get("/problem").get_json(force=True)
    assert body[member] == value


@pytest.mark.parametrize(("header", "value"), [("Retry-After", "7"), ("Cache-Control", "no-store")])
def test_a_problem_has_the_header(client: FlaskClient, header: str, value: str) -> None:
    assert client.get("/problem").headers[header] == value


def test_a_problem_without_errors_has_four_members(client: FlaskClient) -> None:
    body = client.get("/plain").get_json(force=True)
    assert list(body) == ["type", "title", "status", "detail"]


def test_the_title_is_the_phrase_of_the_status(client: FlaskClient) -> None:
    assert client.get("/plain").get_json(force=True)["title"] == "Conflict"


def test_letters_are_written_as_they_are(client: FlaskClient) -> None:
    assert "Må är" in client.get("/problem").get_data(as_text=True)


def asked(client: FlaskClient, method: str, path: str, size: int = 0) -> TestResponse:
    return client.open(path, method=method, data=b"x" * size)


ERRORS = {
    "GET /nowhere": 404,
    "PATCH /plain": 405,
    "POST /echo": 413,
    "GET /too-many": 429,
    "GET /plain": 409,
    "GET /store": 503,
    "GET /conflict": 500,
    "GET /backend": 500,
    "GET /bug": 500,
    "GET /key": 500,
}


Failed = tuple[TestResponse, int]


@pytest.fixture(params=ERRORS.items(), ids=lambda param: param[0])
def failed(request: pytest.FixtureRequest, client: FlaskClient) -> Failed:
    """What was answered when something went wrong, and the status expected."""
    wanted, status = request.param
    method, _, path = wanted.partition(" ")
    return asked(client, method, path, size=MOST_BYTES + 1), status


def test_an_error_has_its_status(failed: Failed) -> None:
    response, status = failed
    assert response.status_code == status


def test_an_error_says_its_status_in_the_body(failed: Failed) -> None:
    response, status = failed
    assert response.get_json(force=True)["status"] == status


def test_an_error_is_a_problem(failed: Failed) -> None:
    assert failed[0].content_type == CONTENT_TYPE


def test_an_error_has_a_detail_that_is_a_sentence(failed: Failed) -> None:
    assert re.fullmatch(r"[A-Z][^<>]+\.", failed[0].get_json(force=True)["detail"])


def test_an_error_shows_nothing_of_the_exception(failed: Failed) -> None:
    assert CANARY not in failed[0].get_data(as_text=True)


def test_an_error_is_not_cached(failed: Failed) -> None:
    assert failed[0].headers["Cache-Control"] == "no-store"


def test_the_content_type_is_that_of_rfc_9457() -> None:
    assert CONTENT_TYPE == "application/problem+json"


def test_a_405_still_says_what_is_allowed(client: FlaskClient) -> None:
    allowed = client.patch("/plain").headers["Allow"]
    assert {"GET", "PUT"} <= set(allowed.split(", "))


def test_a_body_of_exactly_the_limit_is_taken(client: FlaskClient) -> None:
    assert asked(client, "POST", "/echo", MOST_BYTES).status_code == 200


def test_an_outage_says_when_to_come_back(client: FlaskClient) -> None:
    assert int(client.get("/store").headers["Retry-After"]) > 0


def test_a_problem_is_an_exception_that_says_its_detail() -> None:
    assert str(Problem(409, "It is completed already.")) == "It is completed already."
