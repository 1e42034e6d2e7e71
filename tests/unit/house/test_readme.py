"""The README's tables are true of the code."""

import re

import pytest

from shared.settings import Settings
from tests import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
OF_CLOUD_RUN = {"K_SERVICE", "K_REVISION"}
"""Set by the platform, not by people."""


def documented() -> dict[str, str]:
    """By variable, the default that the settings table gives; `·` separates several in one row."""
    table = README.split("## Settings")[1].split("##")[0]
    found: dict[str, str] = {}
    for row in re.findall(r"^\| (`[A-Z].*?) \| (.*?) \|", table, re.MULTILINE):
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


def test_every_file_that_it_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_top_level_requirement_is_explained() -> None:
    table = README.split("## Dependencies")[1]
    for file in ROOT.glob("requirements*.in"):
        for name in re.findall(r"^[a-z][\w.\[\]-]*", file.read_text(), re.MULTILINE):
            assert name in table, f"{name} of {file.name}"
