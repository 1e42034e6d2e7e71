"""A local run answers to this machine's own names only: its services ask nobody who they are."""

import pytest
from flask.testing import FlaskClient

from shared.http.server import answer_only_to_own_names
from tests.http.conftest import Apps


@pytest.fixture(params=["ingress", "worker"])
def client(apps: Apps, request: pytest.FixtureRequest) -> FlaskClient:
    found: FlaskClient = getattr(apps, request.param)
    answer_only_to_own_names(found.application)
    return found


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:9"])
def test_its_own_names_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/livez", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example"),
        *("192.0.2.1", "localhost@evil.example", "localhost:x", "[", ""),
    ],
)
def test_a_name_that_somebody_has_pointed_here_is_a_problem(client: FlaskClient, host: str) -> None:
    answer = client.post("/activations", json={}, headers={"Host": host})
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
