"""What a test needs from the machine: skipped with the reason where it is missing, never in CI."""

import os
import shutil

import pytest


def need(what: str, missing: str | None) -> None:
    """`missing` says why it can't be had; None where it is there."""
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"CI needs {what}: {missing}")
    if missing:
        pytest.skip(f"needs {what}: {missing}")


def need_program(name: str) -> str:
    """Its path."""
    path = shutil.which(name)
    need(name, None if path else "it is not on the PATH")
    return path or ""
