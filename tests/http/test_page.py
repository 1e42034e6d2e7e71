"""How `/app/` is served: its own files, nothing from anywhere else, and never a stale one."""

import re
from pathlib import Path

import pytest

from ingress.page.routes import TYPES
from tests import ROOT
from tests.http.conftest import Apps

FOLDER = ROOT / "ingress" / "page"
FILES = sorted(file for file in FOLDER.rglob("*") if file.suffix in TYPES)
NAMES = [file.relative_to(FOLDER).as_posix() for file in FILES]
MODULES = [file for file in FILES if file.suffix == ".js"]


def test_without_its_slash_it_leads_to_the_page(apps: Apps) -> None:
    answer = apps.ingress.get("/app")
    assert answer.status_code in (301, 302, 307, 308)
    assert answer.headers["Location"].endswith("/app/")


def test_the_page_may_load_its_own_files_only(apps: Apps) -> None:
    answer = apps.ingress.get("/app/")
    policy = answer.headers["Content-Security-Policy"]
    assert answer.content_type == "text/html; charset=utf-8"
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy


def test_the_page_names_nothing_from_outside_and_has_nothing_inline() -> None:
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert [name for name in loaded if name not in NAMES and not name.startswith("#")] == []
    assert not re.search(r"<script>|<style|style=|\son\w+=", page)


@pytest.mark.parametrize("name", NAMES)
def test_each_file_is_served(apps: Apps, name: str) -> None:
    answer = apps.ingress.get(f"/app/{name}")
    assert answer.status_code == 200
    assert answer.data == (FOLDER / name).read_bytes()


@pytest.mark.parametrize("name", ["", *NAMES])
def test_an_unchanged_file_is_not_sent_again(apps: Apps, name: str) -> None:
    first = apps.ingress.get(f"/app/{name}")
    assert first.headers["Cache-Control"] == "no-cache"
    again = apps.ingress.get(f"/app/{name}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""


@pytest.mark.parametrize(
    "name",
    [
        *("nothing.js", "routes.py", "..%2fapp.py", "../app.py", "page/index.html"),
        *("client/package.json", "client/react.mjs", "client/activations.d.ts"),
    ],
)
def test_nothing_else_is_served(apps: Apps, name: str) -> None:
    assert apps.ingress.get(f"/app/{name}").status_code == 404


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_no_module_writes_markup_or_imports_from_outside(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text)
    without_comments = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    imported = re.findall(r'from "([^"]+)"', without_comments)
    assert all(name.startswith(".") for name in imported)
    assert {(module.parent / name).resolve() for name in imported} <= set(MODULES)


def test_every_module_is_loaded_at_once_and_not_one_after_the_other() -> None:
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    preloaded = re.findall(r'rel="modulepreload" href="([^"]+)"', page)
    assert preloaded == [name for name in NAMES if name.endswith(".js") and name != "main.js"]


def keys(language: str) -> list[str]:
    text = (FOLDER / f"words/strings.{language}.js").read_text(encoding="utf-8")
    return re.findall(r'^  "([\w.]+)":', text, re.MULTILINE)


def test_both_languages_say_the_same_things() -> None:
    assert keys("sv") == keys("en")


CODE = "".join(file.read_text(encoding="utf-8") for file in MODULES if "strings" not in file.name)


def test_no_words_are_missing() -> None:
    assert set(re.findall(r'\bt\("([\w.]+)"', CODE)) <= set(keys("sv"))


def test_no_words_are_left_over() -> None:
    kinds = {*re.findall(r"`(\w+)\.\$\{", CODE), *re.findall(r'word\("(\w+)"', CODE)}
    assert [k for k in keys("sv") if f'"{k}"' not in CODE and k.split(".")[0] not in kinds] == []
