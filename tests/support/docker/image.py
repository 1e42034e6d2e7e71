"""What `docker build` would make, without Docker: the Dockerfile's steps and its files."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from docker.utils.build import exclude_paths  # type: ignore[import-untyped]  # no stubs

from tests import ROOT


@dataclass(frozen=True)
class Step:
    instruction: str
    arguments: str


def steps() -> list[Step]:
    """Of all stages, in their order, with continued lines joined and comments left out."""
    lines = [
        line
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if not line.lstrip().startswith("#")
    ]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found = (line.split(maxsplit=1) for line in joined.splitlines() if line.strip())
    return [Step(name, arguments) for name, arguments in found]


def of(instruction: str) -> list[str]:
    return [step.arguments for step in steps() if step.instruction == instruction]


def sources() -> list[tuple[list[str], str]]:
    """What each COPY takes from the build context, and where it puts it."""
    copies = [arguments.split() for arguments in of("COPY")]
    return [(words[:-1], words[-1]) for words in copies if not words[0].startswith("--from")]


def context() -> set[str]:
    """The files that .dockerignore lets Docker see, beyond the two that Docker itself reads."""
    patterns = (ROOT / ".dockerignore").read_text().splitlines()
    found: set[str] = exclude_paths(
        str(ROOT), [line for line in patterns if not line.startswith("#")]
    )
    return {path for path in found - {"Dockerfile", ".dockerignore"} if (ROOT / path).is_file()}


def lay_out(folder: Path) -> None:
    """The files of the last stage's COPY steps, below a folder that stands for WORKDIR."""
    last = [index for index, step in enumerate(steps()) if step.instruction == "FROM"][-1]
    for step in steps()[last:]:
        if step.instruction == "COPY" and not step.arguments.startswith("--from"):
            source, target = step.arguments.split()
            _copy(source, folder / target)


def _copy(source: str, target: Path) -> None:
    """A folder's content lands in the target, a file below it (Dockerfile reference: COPY)."""
    for path in context():
        if path == source or path.startswith(f"{source}/"):
            below = Path(path).relative_to(source) if path != source else Path(source).name
            to = target / below
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, to)
