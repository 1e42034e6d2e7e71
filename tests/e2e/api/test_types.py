"""The types of ingress/page/client: they find mistakes, and can't drift from /openapi.json."""

import re
import shutil

import pytest

from ingress.openapi.document import openapi_document
from tests.frontend.assembled import BOTH_COMPILERS, PACKAGE, SOURCES, Frontend, assembled

WRONG = SOURCES / "types" / "wrong.ts"


@pytest.fixture(scope="module")
def frontend(tmp_path_factory: pytest.TempPathFactory) -> Frontend:
    """With what its types are compared with: the document's, and copies of our JavaScript under
    names that no .d.ts has."""
    frontend = assembled(tmp_path_factory.mktemp("frontend"))
    types = frontend.app / "types"
    shutil.copytree(PACKAGE, types, dirs_exist_ok=True)
    shutil.copy(PACKAGE / "activations.js", types / "implementation.js")
    shutil.copy(PACKAGE / "react.mjs", types / "hook.mjs")
    (types / "openapi.json").write_bytes(openapi_document(signed_in=True))
    frontend.must(
        frontend.tool("openapi-typescript"), "types/openapi.json", "-o", "types/schema.d.ts"
    )
    return frontend


@pytest.mark.parametrize("compiler", BOTH_COMPILERS)
def test_they_say_what_the_document_and_the_code_say(frontend: Frontend, compiler: str) -> None:
    assert frontend.compiled(compiler, "tsconfig.types.json") == []


@pytest.mark.parametrize(
    ("documented", "changed"),
    [
        ('"gemini" | "fallback"', '"fallback"'),
        ('"cancelled"', '"cancelled" | "failed"'),
        ("done: boolean;", "done?: boolean;"),
        ("deadline_seconds?: number | null;", ""),
    ],
)
def test_a_change_of_the_document_is_found(
    frontend: Frontend, documented: str, changed: str
) -> None:
    schema = frontend.app / "types" / "schema.d.ts"
    text = schema.read_text(encoding="utf-8")
    assert documented in text
    try:
        schema.write_text(text.replace(documented, changed), encoding="utf-8")
        errors = frontend.compiled("typescript-7", "tsconfig.types.json")
    finally:
        schema.write_text(text, encoding="utf-8")
    assert errors
    assert all(error.startswith("types/same.ts") for error in errors), errors


def test_a_mistake_does_not_compile(frontend: Frontend) -> None:
    lines = enumerate(WRONG.read_text(encoding="utf-8").splitlines(), 1)
    expected = [(n, found[1]) for n, line in lines if (found := re.search(r"// (TS\d+)$", line))]
    said = "\n".join(frontend.compiled("typescript-7", "tsconfig.wrong.json"))
    errors = re.findall(r"^types/wrong\.ts\((\d+),\d+\): error (TS\d+)", said, re.MULTILINE)
    assert [(int(line), code) for line, code in errors] == expected


def test_the_javascript_is_as_its_own_comments_say(frontend: Frontend) -> None:
    assert frontend.compiled("typescript-7", "tsconfig.client.json") == []


def test_the_package_is_the_pages_own_client_and_the_hook(frontend: Frontend) -> None:
    """One source: what npm packs is the folder that the page is served from."""
    installed = frontend.app / "node_modules" / "innerjourney-activations"
    packed = {file.name: file.read_bytes() for file in installed.iterdir()}
    assert packed == {file.name: file.read_bytes() for file in PACKAGE.iterdir()}
