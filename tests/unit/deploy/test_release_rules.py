"""deploy/release_rules.py against a small server that speaks the Firebase Rules API."""

import importlib.util
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest

from tests import ROOT

DEPLOY = ROOT / "deploy"
RELEASE = "projects/demo/releases/cloud.firestore"
TOKEN = "ya29.canary"


class FakeRulesApi:
    """Rulesets and releases by name; `refuses` answers 403 to everything."""

    def __init__(self) -> None:
        self.rulesets: dict[str, str] = {}
        self.releases: dict[str, str] = {}
        self.calls: list[str] = []
        self.refuses = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """None is a 404."""
        self.calls.append(f"{method} {path}")
        if method == "POST" and path.endswith("/rulesets"):
            name = f"{path}/{len(self.rulesets) + 1}"
            self.rulesets[name] = body["source"]["files"][0]["content"]
            return {"name": name}
        if method in ("POST", "PATCH"):
            given = body.get("release", body)
            self.releases[given["name"]] = given["rulesetName"]
            return dict(given)
        if path in self.releases:
            return {"name": path, "rulesetName": self.releases[path]}
        if path in self.rulesets:
            return {"source": {"files": [{"content": self.rulesets[path]}]}}
        return None


def _handler(fake: FakeRulesApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length) or b"{}")
            allowed = self.headers["Authorization"] == f"Bearer {TOKEN}" and not fake.refuses
            path = self.path.removeprefix("/v1/")
            found = fake.answer(self.command, path, body) if allowed else None
            self.send_response(403 if not allowed else 404 if found is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps(found or {}).encode())

        def do_GET(self) -> None:
            self.handle_any()

        def do_POST(self) -> None:
            self.handle_any()

        def do_PATCH(self) -> None:
            self.handle_any()

        def log_message(self, *_: object) -> None: ...

    return Handler


@pytest.fixture
def api() -> Iterator[FakeRulesApi]:
    fake = FakeRulesApi()
    threading.Thread(target=fake.server.serve_forever, args=(0.02,), daemon=True).start()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """deploy/ is no package: its programs run on a machine that has only Python."""
    spec = importlib.util.spec_from_file_location("release_rules", DEPLOY / "release_rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rules() -> str:
    return (DEPLOY / "firestore.rules").read_text()


def test_a_first_release_is_made(script: ModuleType, api: FakeRulesApi) -> None:
    assert script.main("demo", "(default)", token=TOKEN, url=api.url) == 0
    assert api.rulesets[api.releases[RELEASE]] == rules()


def test_a_release_with_other_rules_gets_these(script: ModuleType, api: FakeRulesApi) -> None:
    api.rulesets["projects/demo/rulesets/old"] = "other"
    api.releases[RELEASE] = "projects/demo/rulesets/old"
    assert script.main("demo", "(default)", token=TOKEN, url=api.url) == 0
    assert api.rulesets[api.releases[RELEASE]] == rules()


def test_a_second_run_changes_nothing(
    script: ModuleType, api: FakeRulesApi, capsys: pytest.CaptureFixture[str]
) -> None:
    script.main("demo", "(default)", token=TOKEN, url=api.url)
    api.calls.clear()
    assert script.main("demo", "(default)", token=TOKEN, url=api.url) == 0
    assert not [call for call in api.calls if not call.startswith("GET ")]
    assert "has these rules already" in capsys.readouterr().out


def test_another_database_has_a_release_of_its_own(script: ModuleType, api: FakeRulesApi) -> None:
    script.main("demo", "eu", token=TOKEN, url=api.url)
    assert set(api.releases) == {f"{RELEASE}/eu"}


def test_a_refusal_is_one_line_without_the_token(
    script: ModuleType, api: FakeRulesApi, capsys: pytest.CaptureFixture[str]
) -> None:
    api.refuses = True
    assert script.main("demo", "(default)", token=TOKEN, url=api.url) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "403" in said
    assert TOKEN not in said
