"""Run every curl of docs/api.md and compare its answer with the one that is written there.

    python -m tests.e2e.api.api_docs           fails when a status, a header or a shape differs
    python -m tests.e2e.api.api_docs --write   writes the answers anew

ID, ETAG and CURSOR in a command are those of the last answer that had one.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import ROOT
from tests.e2e.pipeline import Pipeline, running
from tests.fake_gemini import FakeGemini, answer, late

DOCUMENT = ROOT / "docs" / "api.md"
WRITTEN_FOR = "http://localhost:8080"
EXAMPLE = re.compile(r"```bash\n(curl.*?)```\n\n```http\n(.*?)```", re.DOTALL)
SHOWN = (
    *("allow", "content-type", "etag", "idempotency-replayed", "location"),
    *("preference-applied", "retry-after", "www-authenticate"),
)
GEMINI_SECONDS = 1.0
"""Long enough to cancel what has just been submitted."""

SUBMITTED_BEFORE_THE_LIMIT = 5
ENVIRONMENT = {"DAILY_LIMIT_PER_USER": str(SUBMITTED_BEFORE_THE_LIMIT)}


@dataclass(frozen=True)
class Answer:
    status: str
    headers: dict[str, str]
    body: str

    @classmethod
    def parse(cls, text: str) -> "Answer":
        head, _, body = text.replace("\r\n", "\n").strip().partition("\n\n")
        status, *lines = head.splitlines() or [""]
        pairs = (line.partition(": ") for line in lines)
        headers = {name: value for name, _, value in pairs if name.lower() in SHOWN}
        return cls(status, headers, body.strip())

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body.startswith(("{", "[")) else None

    def written(self) -> str:
        lines = [self.status, *(f"{name}: {value}" for name, value in self.headers.items())]
        if self.body:
            lines += ["", json.dumps(self.json, ensure_ascii=False, indent=2)]
        return "\n".join(lines) + "\n"

    def shape(self) -> tuple[object, ...]:
        return self.status, sorted(self.headers), shape_of(self.json)


def shape_of(value: Any) -> object:
    """Keys and types; of a list its first item."""
    if isinstance(value, dict):
        return {key: shape_of(found) for key, found in value.items()}
    if isinstance(value, list):
        return [shape_of(found) for found in value[:1]]
    return type(value).__name__


def run_all(pipeline: Pipeline, document: str) -> Iterator[tuple[str, Answer, Answer]]:
    """Command, what is written, and what came; in the document's order."""
    known: dict[str, str] = {}
    for command, written in EXAMPLE.findall(document):
        came = Answer.parse(_run(command, pipeline.url, known))
        known.update(_named_in(came))
        yield command, Answer.parse(written), came


def _run(command: str, url: str, known: dict[str, str]) -> str:
    ended = subprocess.run(
        ["bash", "-c", command.replace("curl ", "curl -s ", 1).replace(WRITTEN_FOR, url)],
        env={**os.environ, "no_proxy": "127.0.0.1", **known},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ended.stdout


def _named_in(came: Answer) -> dict[str, str]:
    body = came.json if isinstance(came.json, dict) else {}
    found = {
        "ID": body.get("activation_id"),
        "ETAG": came.headers.get("ETag"),
        "CURSOR": body.get("next_cursor"),
    }
    return {name: value for name, value in found.items() if value}


def rewritten(document: str, answers: list[Answer]) -> str:
    written = iter(answers)
    return EXAMPLE.sub(
        lambda found: f"```bash\n{found[1]}```\n\n```http\n{next(written).written()}```", document
    )


def differences(document: str) -> tuple[list[str], list[Answer]]:
    """What is not as written, and all answers."""
    wrong, answers = [], []
    with (
        FakeGemini(default=late(GEMINI_SECONDS, answer())) as gemini,
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "run", gemini, environment=ENVIRONMENT) as pipeline,
    ):
        for command, written, came in run_all(pipeline, document):
            answers.append(came)
            if written.shape() != came.shape():
                wrong.append(f"{command}\nis written as {written.shape()}\nbut is {came.shape()}")
    return wrong, answers


def main() -> int:
    document = DOCUMENT.read_text(encoding="utf-8")
    wrong, answers = differences(document)
    if "--write" in sys.argv:
        DOCUMENT.write_text(rewritten(document, answers), encoding="utf-8")
        return 0
    sys.stdout.write("\n\n".join(wrong) or f"{len(answers)} answers are as written\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
