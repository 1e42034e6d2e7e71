"""The OpenAPI document: complete, valid, true of the routes; and the page that shows it."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from openapi_pydantic import OpenAPI

import ingress.app
from local.sqlite.store import SqliteStore
from shared.settings import Settings
from tests.doubles import FakePublisher
from tests.http.conftest import GOOD, Apps

NOT_DESCRIBED = {"/openapi.json", "/docs", "/docs/<name>", "/app/", "/app/<path:name>"}


@pytest.fixture
def app(store: SqliteStore, publisher: FakePublisher) -> Flask:
    settings = Settings(auth="firebase", google_cloud_project="innerjourney")
    return ingress.app.create_app(settings, store, publisher)


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/openapi.json")
    assert answer.content_type == "application/json"
    found: dict[str, Any] = answer.get_json()
    return found


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPI.model_validate(document)


def test_it_names_every_route_and_no_other(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        (method, re.sub(r"<(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule not in NOT_DESCRIBED
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}
    }
    assert set(operations(document)) == routes


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    names = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document))
    assert names
    assert set(names) <= set(document["components"]["schemas"])


def test_what_goes_wrong_is_a_problem_everywhere(document: dict[str, Any]) -> None:
    for operation in operations(document).values():
        for status, response in operation["responses"].items():
            if int(status) >= 400 and operation["operationId"] != "readyz":
                assert list(response["content"]) == ["application/problem+json"], operation


def test_every_answer_has_a_request_id(document: dict[str, Any]) -> None:
    for operation in operations(document).values():
        for response in operation["responses"].values():
            assert "X-Request-Id" in response["headers"]


def test_every_body_has_an_example_that_the_api_takes(apps: Apps, document: dict[str, Any]) -> None:
    taken = 0
    for (method, path), operation in operations(document).items():
        if "requestBody" in operation:
            example = operation["requestBody"]["content"]["application/json"]["example"]
            answer = apps.ingress.open(path, method=method, json=example)
            assert answer.status_code in (200, 202, 504), answer.get_json()
            taken += 1
    assert taken == 2


def test_who_signs_in_is_described_only_where_people_do(
    apps: Apps, document: dict[str, Any]
) -> None:
    without = apps.ingress.get("/openapi.json").get_json()
    assert document["security"] == [{"firebase": []}]
    assert "security" not in without
    assert "securitySchemes" not in without["components"]
    opened = {o["operationId"] for o in operations(document).values() if o.get("security") == []}
    assert opened == {"welcome", "livez", "readyz"}


def test_a_representation_has_the_keys_that_it_says(apps: Apps, document: dict[str, Any]) -> None:
    shown = apps.ingress.post("/activations", json=GOOD).get_json()
    described = document["components"]["schemas"]["Representation"]
    assert set(described["required"]) == set(described["properties"]) == set(shown)


def test_the_page_loads_nothing_from_outside_and_no_inline_script(apps: Apps) -> None:
    with apps.ingress.get("/docs") as answer:
        page = answer.get_data(as_text=True)
        policy = answer.headers["Content-Security-Policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert [link for link in loaded if not link.startswith(("/", "data:,"))] == []
    assert not re.search(r"<script>|<style|style=|onload=", page)
    for link in loaded:
        if link.startswith("/"):
            with apps.ingress.get(link) as found:
                assert found.status_code == 200, link
    assert "unsafe-inline" not in policy
    assert "script-src 'self'" in policy


@pytest.mark.parametrize("name", ["__init__.py", "..%2f..%2fdocs.py", "redoc.js", "nothing.js"])
def test_the_page_serves_its_own_files_only(apps: Apps, name: str) -> None:
    assert apps.ingress.get(f"/docs/{name}").status_code == 404


def test_a_profile_may_say_that_it_has_no_traits(apps: Apps, document: dict[str, Any]) -> None:
    """Null is accepted, so the document says so."""
    body = {**GOOD, "profile": {"personalityType": {"traits": None}}}
    assert apps.ingress.post("/activations", json=body).status_code == 202
    traits = document["components"]["schemas"]["PersonalityType"]["properties"]["traits"]
    array, null = traits["anyOf"]
    assert (array["type"], array["maxItems"], null) == ("array", 50, {"type": "null"})
