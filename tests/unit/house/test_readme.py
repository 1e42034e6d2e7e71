"""The tables of settings and dependencies are true of the code, and the README is short."""

import re

import pytest

from shared.settings import Settings
from tests import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
DEPENDENCIES = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
MOST_LINES = 120

OF_CLOUD_RUN = {"K_SERVICE", "K_REVISION"}
"""Set by the platform, not by people."""


def documented() -> dict[str, str]:
    """By variable, the default that the settings table gives; `·` separates several in one row."""
    found: dict[str, str] = {}
    for row in re.findall(r"^\| (`[A-Z].*?) \| (.*?) \|", SETTINGS, re.MULTILINE):
        names, defaults = (cell.split(" · ") for cell in row)
        defaults = defaults if len(defaults) == len(names) else defaults * len(names)
        found.update(dict(zip((n.strip("`") for n in names), defaults, strict=True)))
    return found


def test_every_setting_is_in_the_table_and_nothing_else() -> None:
    assert set(documented()) == {name.upper() for name in Settings.model_fields} - OF_CLOUD_RUN


@pytest.mark.parametrize(
    "name", sorted(set(Settings.model_fields) - {name.lower() for name in OF_CLOUD_RUN})
)
def test_its_default_is_the_one_in_the_code(name: str) -> None:
    said = documented()[name.upper()]
    default = Settings.model_fields[name].default
    if default in (None, ()):
        assert "`" not in said
    else:
        shown = f"{default:g}" if isinstance(default, float) else str(default)
        assert said.strip("`") == (shown.lower() if isinstance(default, bool) else shown)


def test_the_readme_is_a_way_in() -> None:
    assert len(README.splitlines()) <= MOST_LINES
    assert {"docs/settings.md", "docs/dependencies.md"} <= set(re.findall(r"\]\(([^)]+)\)", README))


def test_every_top_level_requirement_is_explained_and_nothing_else() -> None:
    cells = re.findall(r"^\| (?:\*\w+\* )?([a-z].*?) \|", DEPENDENCIES, re.MULTILINE)
    explained = {name for cell in cells for name in cell.split(", ")} - {"package"}
    asked = {
        name
        for file in ROOT.glob("requirements*.in")
        for name in re.findall(r"^[a-z][\w.\[\]-]*", file.read_text(), re.MULTILINE)
    }
    assert explained == asked
