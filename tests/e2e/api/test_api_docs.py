"""docs/api.md: its commands are run, and answer in the shape that it shows."""

import re
import subprocess
from pathlib import Path

from ingress.openapi.document import PATHS
from tests.e2e.api.api_docs import DOCUMENT, EXAMPLE, WRITTEN_FOR, differences
from tests.e2e.pipeline import running


def test_every_curl_answers_as_the_document_says() -> None:
    wrong, answers = differences(DOCUMENT.read_text(encoding="utf-8"))
    assert len(answers) > 20
    assert not wrong, "\n\n".join(wrong)


def test_every_route_is_among_them() -> None:
    commands = [command for command, _ in EXAMPLE.findall(DOCUMENT.read_text(encoding="utf-8"))]
    shown = {
        (
            (re.findall(r"-X (\w+)", command) or ["GET"])[0],
            re.sub(r"\$ID|unknown", "{activation_id}", found[1].partition("?")[0]),
        )
        for command in commands
        if (found := re.search(r"http://localhost:8080(/[^\s\"']*)", command))
    }
    described = {
        (method.upper(), path)
        for path, item in PATHS.items()
        for method in ("get", "post", "delete")
        if getattr(item, method) is not None
    }
    assert described <= shown


def test_the_line_of_python_prints_a_title(tmp_path: Path) -> None:
    (line,) = re.findall(r"^python3 -c .*$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    with running(tmp_path / "run") as pipeline:
        ended = subprocess.run(
            ["bash", "-c", line.replace(WRITTEN_FOR, pipeline.url)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert ended.stdout.strip()
