"""Links in the documents lead somewhere, and so do file names and the headings of alerts."""

import json
import re
from pathlib import Path

import pytest

from tests import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
GUIDE = ROOT / "docs" / "operations.md"


def headings(document: Path) -> set[str]:
    """As GitHub names them in links."""
    lines = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


def links(document: Path) -> list[str]:
    """Those to files of this repository."""
    without_code = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    found = re.findall(r"\]\(([^)\s]+)\)", without_code)
    return [link for link in found if not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(document: Path) -> None:
    for link in links(document):
        path, _, heading = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not heading or heading in headings(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_named_in_the_text_is_there(document: Path) -> None:
    named = re.findall(
        r"`([\w.-]+/[\w./-]+\.(?:py|js|sh|json|toml|md|rules))`", document.read_text()
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_alert_of_the_deployment_names_a_heading_of_the_guide() -> None:
    alerts = sorted((ROOT / "deploy" / "alerts").glob("*.json"))
    assert len(alerts) == 5
    for alert in alerts:
        content = json.loads(alert.read_text())["documentation"]["content"]
        [named] = re.findall(r'docs/operations\.md, "([^"]+)"', content)
        assert f"## {named}\n" in GUIDE.read_text()


def test_every_alert_of_the_board_names_a_heading_of_the_guide() -> None:
    source = (ROOT / "worker" / "board" / "alerts.py").read_text()
    pages = "".join(
        page.read_text() for page in (ROOT / "worker" / "board" / "page").glob("*.html")
    )
    named = set(re.findall(r'^ +"([a-z]+(?:-[a-z]+)*)",$', source, re.MULTILINE))
    named -= {"bad", "warning", "notice"}
    named |= set(re.findall(r"operations\.md#([a-z-]+)", pages))
    assert named >= {"waiting-too-long", "circuit-breaker", "dead-letters", "store-away"}
    assert named <= headings(GUIDE)


def test_every_line_that_asks_for_a_human_is_in_the_guide() -> None:
    events = {
        event
        for folder in ("ingress", "worker", "shared")
        for module in (ROOT / folder).rglob("*.py")
        # From a call's event to its alert, without another call between.
        for event in re.findall(
            r'"([a-z_]+\.[a-z_]+)",(?:(?!log\.)[^"]|"(?!\w+\.\w+"))*?alert=', module.read_text()
        )
    }
    assert events >= {"gemini.failed", "dead_letter.kept", "store.unreadable"}
    assert [event for event in sorted(events) if f"`{event}`" not in GUIDE.read_text()] == []
