"""deploy/deploy.sh with a `gcloud` of ours on the PATH, which writes down how it was called.

It stands for a project that is empty, where nothing that is looked for is there, or one that was
deployed before, where everything is.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import ROOT

DEPLOY = ROOT / "deploy" / "deploy.sh"
PROJECT, REGION = "demo", "europe-west1"
NUMBER = "123456789"

_GCLOUD = f"""#!{sys.executable}
import json, os, sys
words = sys.argv[1:]
with open(os.environ["CALLS"], "a+") as calls:
    calls.seek(0)
    earlier = [json.loads(line) for line in calls]
    calls.write(json.dumps(words) + "\\n")
there = bool(os.environ["THERE"])
if "--format=value(projectNumber)" in words:
    print({NUMBER!r})
elif "--format=value(billingAccountName.basename())" in words:
    print("ABC-DEF")
elif words[:3] == ["run", "services", "describe"]:
    print("https://ingress.example")  # deployed by now
elif "describe" in words:
    sys.exit(0 if there else 1)
elif words[:3] == ["firestore", "indexes", "composite"] and there:
    sys.exit("ERROR: (gcloud.firestore.indexes.composite.create) ALREADY_EXISTS: index is there")
elif "add-iam-policy-binding" in words and "add-iam-policy-binding" not in sum(earlier, []):
    sys.exit("ERROR: INVALID_ARGUMENT: Service account does not exist.")  # as a new one does
elif words[3:4] == ["list"] or words[2:3] == ["list"]:
    if os.environ.get("LISTS_FAIL"):
        sys.exit("ERROR: PERMISSION_DENIED")
    made = [*words[: words.index("list")], "create"]
    print("found" if there or made in [call[: len(made)] for call in earlier] else "")
"""
_PYTHON = f"""#!/bin/sh
case "$1" in *release_rules.py) cat >/dev/null; exit 0 ;; esac
exec {sys.executable} "$@"
"""
_SLEEP = "#!/bin/sh\n"


@dataclass(frozen=True)
class Run:
    exit_code: int
    said: str
    errors: str
    calls: list[list[str]]
    """Of gcloud, in their order, each without the name itself."""

    def called(self, *words: str) -> list[list[str]]:
        return [call for call in self.calls if call[: len(words)] == list(words)]

    def flag(self, name: str, *words: str) -> str:
        """Its value in the one call that begins with these words."""
        [call] = self.called(*words)
        [value] = [word for word in call if word.startswith(f"--{name}=")]
        return value.removeprefix(f"--{name}=")


def deploy(folder: Path, *options: str, there: bool = False, **more: str) -> Run:
    given = ["--project", PROJECT, "--region", REGION]
    return with_our_gcloud(folder, [str(DEPLOY), *given, *options], there=there, **more)


def with_our_gcloud(
    folder: Path, command: Sequence[str], *, there: bool = False, **more: str
) -> Run:
    """`more` are variables of the environment."""
    programs, calls = folder / "bin", folder / "calls"
    programs.mkdir(exist_ok=True)
    for name, text in (("gcloud", _GCLOUD), ("python3", _PYTHON), ("sleep", _SLEEP)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    calls.write_text("")
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": path,
            "CALLS": str(calls),
            "THERE": "yes" if there else "",
            **more,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = calls.read_text().splitlines()
    return Run(done.returncode, done.stdout, done.stderr, [json.loads(line) for line in lines])
