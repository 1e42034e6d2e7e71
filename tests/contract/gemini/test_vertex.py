"""Vertex AI with Application Default Credentials and no key, over the real wire format.

The credentials are a service account's file, as Google writes it; its token endpoint is the fake's.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.errors import SettingsError
from shared.settings import Settings
from tests.builders import a_step
from tests.doubles import FakeTime
from tests.fake_gemini import FakeGemini, answer, error, hang
from worker.gemini.adapters.vertex import AccessTokens
from worker.gemini.port import Gemini, KeyRefused, StepRequest, Unavailable, reason_of
from worker.wiring import build_gemini, build_sdk

REQUEST = StepRequest(mood=2, goal="komma igång", language="sv")
MODEL = "gemini-3.8-flash"
PATH = f"/v1beta1/projects/ours/locations/europe-west1/publishers/google/models/{MODEL}"


@pytest.fixture
def gemini() -> Iterator[FakeGemini]:
    with FakeGemini() as gemini:
        yield gemini


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture
def credentials(
    gemini: FakeGemini, private_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = {
        "type": "service_account",
        "client_email": "innerjourney-worker@ours.iam.gserviceaccount.com",
        "private_key": private_key,
        "token_uri": f"{gemini.url}/token",
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))


def settings(endpoint: str | None, location: str = "europe-west1") -> Settings:
    return Settings(
        gemini_sdk="google-genai",
        gemini_model=MODEL,
        gemini_api_endpoint=endpoint,
        google_genai_use_vertexai=True,
        google_cloud_project="ours",
        google_cloud_location=location,
    )


@pytest.fixture
def adapter(gemini: FakeGemini, credentials: None) -> Gemini:
    return build_sdk(settings(gemini.url), MODEL)


def test_the_request_goes_to_vertex_ai_with_a_token_and_no_key(
    gemini: FakeGemini, adapter: Gemini
) -> None:
    generated = adapter.generate(REQUEST, seconds=5)
    assert (generated.step, generated.model) == (a_step(), MODEL)
    (call,) = gemini.calls
    assert call.path == f"{PATH}:generateContent"
    assert call.headers["authorization"] == "Bearer token-1"
    assert "x-goog-api-key" not in call.headers


def test_a_key_in_the_environment_changes_nothing(
    gemini: FakeGemini, credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.setenv(name, "a-key")
    build_sdk(settings(gemini.url), MODEL).generate(REQUEST, seconds=5)
    assert "x-goog-api-key" not in gemini.calls[0].headers


def test_gemini_is_asked_although_there_is_no_key(gemini: FakeGemini, credentials: None) -> None:
    assert build_gemini(settings(gemini.url)).generate(REQUEST, seconds=30).step == a_step()


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("europe-west1", "europe-west1-aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
    ],
)
def test_the_location_chooses_the_host(
    monkeypatch: pytest.MonkeyPatch, credentials: None, location: str, host: str
) -> None:
    asked = []
    request = requests.Session.request

    def recorded(session: requests.Session, method: str, url: str, **given: object) -> object:
        if url.endswith("/token"):
            return request(session, method, url, **given)  # type: ignore[arg-type]
        asked.append(url)
        raise requests.ConnectTimeout

    adapter = build_sdk(settings(None, location), MODEL)
    monkeypatch.setattr(requests.Session, "request", recorded)
    with pytest.raises(Unavailable):
        adapter.generate(REQUEST, seconds=5)
    path = PATH.replace("europe-west1", location)
    assert asked == [f"https://{host}{path}:generateContent"]


# Tokens


def test_a_token_serves_many_calls(gemini: FakeGemini, adapter: Gemini) -> None:
    for _ in range(3):
        adapter.generate(REQUEST, seconds=5)
    assert gemini.tokens.issued == ["token-1"]


def test_a_token_is_refreshed_before_it_expires(gemini: FakeGemini, adapter: Gemini) -> None:
    gemini.tokens.expires_in = 200  # google-auth wants 225 s left
    for _ in range(2):
        adapter.generate(REQUEST, seconds=5)
    assert [call.headers["authorization"] for call in gemini.calls] == [
        "Bearer token-1",
        "Bearer token-2",
    ]


def test_after_a_refused_token_the_next_call_brings_another(
    gemini: FakeGemini, adapter: Gemini
) -> None:
    adapter.generate(REQUEST, seconds=5)
    gemini.tokens.revoke()
    with pytest.raises(Unavailable) as raised:
        adapter.generate(REQUEST, seconds=5)
    assert len(gemini.calls) == 2  # one for each call of the adapter: the client asks again
    assert "token-1" not in str(raised.value)
    assert adapter.generate(REQUEST, seconds=5).step == a_step()


def test_where_the_second_token_is_refused_too_it_is_the_access_that_is_refused(
    gemini: FakeGemini, adapter: Gemini
) -> None:
    gemini.next(error(401, "UNAUTHENTICATED"), error(401, "UNAUTHENTICATED"), answer())
    with pytest.raises(Unavailable):
        adapter.generate(REQUEST, seconds=5)
    with pytest.raises(KeyRefused, match=r"^UNAUTHENTICATED$"):
        adapter.generate(REQUEST, seconds=5)
    assert adapter.generate(REQUEST, seconds=5).step == a_step()


def test_an_account_that_google_refuses_is_told_without_a_call(
    gemini: FakeGemini, adapter: Gemini
) -> None:
    gemini.tokens.refuses = True
    with pytest.raises(KeyRefused, match=r"^CREDENTIALS_REFUSED$"):
        adapter.generate(REQUEST, seconds=5)
    assert gemini.calls == []


def test_a_token_endpoint_that_is_away_is_a_passing_failure(
    gemini: FakeGemini, adapter: Gemini, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.auth._exponential_backoff.time", time)
    gemini.tokens.away = True
    with pytest.raises(Unavailable):
        adapter.generate(REQUEST, seconds=5)
    gemini.tokens.away = False
    assert adapter.generate(REQUEST, seconds=5).step == a_step()


def test_a_refresh_ends_with_the_time_of_the_call(
    gemini: FakeGemini, credentials: None, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = AccessTokens(requests.Session(), monotonic=time.monotonic)
    asked = tokens._session.request

    def slow(*asking: Any, **given: Any) -> requests.Response:
        assert given["timeout"] <= 5 - time.passed
        time.advance(3)
        return asked(*asking, **given)

    monkeypatch.setattr("google.auth._exponential_backoff.time", time)
    gemini.tokens.away = True
    tokens._session.request = slow  # type: ignore[method-assign]
    with pytest.raises(Unavailable) as raised:
        tokens.token(seconds=5)
    assert reason_of(raised.value) == "timeout"


def test_a_call_that_hangs_ends_in_time_on_vertex_ai_too(
    gemini: FakeGemini, adapter: Gemini
) -> None:
    gemini.next(hang())
    with pytest.raises(Unavailable) as raised:
        adapter.generate(REQUEST, seconds=0.5)
    assert reason_of(raised.value) == "timeout"


def test_without_credentials_the_worker_does_not_start(
    gemini: FakeGemini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nowhere.json"))
    with pytest.raises(SettingsError) as stopped:
        build_sdk(settings(gemini.url), MODEL)
    assert "\n" not in str(stopped.value)
    assert "expected Application Default Credentials" in str(stopped.value)


# What Vertex AI refuses


def test_an_account_without_the_role_is_refused(gemini: FakeGemini, adapter: Gemini) -> None:
    gemini.next(error(403, "PERMISSION_DENIED", reason="IAM_PERMISSION_DENIED"))
    with pytest.raises(KeyRefused, match=r"^IAM_PERMISSION_DENIED$"):
        adapter.generate(REQUEST, seconds=5)


def test_a_quota_is_a_quota_there_too(gemini: FakeGemini, adapter: Gemini) -> None:
    gemini.next(error(429, "RESOURCE_EXHAUSTED", retry_delay="7s"))
    with pytest.raises(Unavailable) as raised:
        adapter.generate(REQUEST, seconds=5)
    assert (reason_of(raised.value), raised.value.retry_after) == ("quota", 7)
