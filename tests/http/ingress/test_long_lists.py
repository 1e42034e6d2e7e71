"""Headers that are lists: one with thousands of entries counts as not sent."""

import pytest

from shared.http.headers import LONGEST_LIST
from tests.http.conftest import GOOD, Apps

TOO_MANY = ", ".join(["x"] * LONGEST_LIST)


def test_a_long_prefer_asks_for_nothing(apps: Apps) -> None:
    headers = {"Prefer": f"wait=0, {TOO_MANY}"}
    answer = apps.ingress.post("/activations", json=GOOD, headers=headers)
    assert (answer.status_code, answer.headers.get("Preference-Applied")) == (202, None)


def test_a_long_accept_language_names_none(apps: Apps) -> None:
    headers = {"Accept-Language": f"sv, {TOO_MANY}"}
    assert apps.ingress.get("/nothing", headers=headers).headers["Content-Language"] == "en"


def test_a_long_if_none_match_matches_nothing(apps: Apps) -> None:
    where = apps.ingress.post("/activations", json=GOOD).headers["Location"]
    etag = apps.ingress.get(where).headers["ETag"]
    assert apps.ingress.get(where, headers={"If-None-Match": etag}).status_code == 304
    headers = {"If-None-Match": f"{etag}, {TOO_MANY}"}
    assert apps.ingress.get(where, headers=headers).status_code == 200


def test_a_long_content_type_is_not_json(apps: Apps) -> None:
    headers = {"Content-Type": f"application/json{'; a=b' * LONGEST_LIST}"}
    assert apps.ingress.post("/activations", json=GOOD, headers=headers).status_code == 415


@pytest.mark.parametrize("entries", [1, 50])
def test_a_list_of_a_usual_length_counts(apps: Apps, entries: int) -> None:
    headers = {"Accept-Language": ", ".join(["sv"] * entries)}
    assert apps.ingress.get("/nothing", headers=headers).headers["Content-Language"] == "sv"
