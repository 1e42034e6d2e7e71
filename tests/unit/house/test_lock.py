"""The locks: complete, pinned and hashed, as `pip install --no-deps --require-hashes` needs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests import ROOT

LOCKS = ("requirements", "requirements-dev", "requirements-bench")

PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[(?P<extras>[^\]]+)\])?==(?P<version>[^\s;]+)")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Pin:
    name: str
    extras: str | None
    version: str
    hashes: int


def canonical(name: str) -> str:
    """As PyPI compares names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def entries(lock: str) -> list[str]:
    """Each requirement with its continuation lines and the comments after it."""
    text = (ROOT / f"{lock}.txt").read_text(encoding="utf-8")
    without_comments = "\n".join(
        line for line in text.splitlines() if not line.lstrip().startswith("#")
    )
    return [part for part in re.split(r"(?m)^(?=\S)", without_comments) if part.strip()]


def pins(lock: str) -> list[Pin]:
    found = []
    for entry in entries(lock):
        match = PIN.match(entry)
        assert match, f"not pinned: {entry.splitlines()[0]}"
        found.append(
            Pin(
                name=canonical(match["name"]),
                extras=match["extras"],
                version=match["version"],
                hashes=len(HASH.findall(entry)),
            )
        )
    return found


def asked_for(lock: str) -> list[str]:
    lines = (ROOT / f"{lock}.in").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith(("#", "-"))]
    return [canonical(re.split(r"[\[<>=!~; ]", line)[0]) for line in wanted]


def bare_versions(lock: str) -> Mapping[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for pin in pins(lock):
        if pin.extras is None:
            versions.setdefault(pin.name, set()).add(pin.version)
    return versions


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_pinned_with_a_hash(lock: str) -> None:
    assert [pin.name for pin in pins(lock) if not pin.hashes] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_asked_for_is_locked(lock: str) -> None:
    missing = set(asked_for(lock)) - {pin.name for pin in pins(lock)}
    assert missing == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_something_is_asked_for(lock: str) -> None:
    assert asked_for(lock)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_pin_with_extras_has_a_bare_twin(lock: str) -> None:
    """pip before 23.3 looks for the bare name of what is pinned with an extra."""
    bare = bare_versions(lock)
    lonely = [
        pin for pin in pins(lock) if pin.extras and pin.version not in bare.get(pin.name, set())
    ]
    assert lonely == []


@pytest.mark.parametrize("lock", LOCKS)
def test_nothing_is_taken_from_an_address_or_another_index(lock: str) -> None:
    text = (ROOT / f"{lock}.txt").read_text(encoding="utf-8")
    assert re.findall(r"(?m)://|^\s*-(?!-hash)\S*|--(?!hash=)\S+|\s@\s", text) == []


def test_what_both_locks_hold_has_the_same_version() -> None:
    """The second is installed on top of the first."""
    run, develop = bare_versions("requirements"), bare_versions("requirements-dev")
    different = {name for name in run.keys() & develop.keys() if run[name] != develop[name]}
    assert different == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_name_is_pinned_to_one_version_or_apart_by_markers(lock: str) -> None:
    by_name: dict[str, list[str]] = {}
    for entry in entries(lock):
        match = PIN.match(entry)
        assert match
        marked = ";" in entry.splitlines()[0]
        key = f"{canonical(match['name'])}[{match['extras'] or ''}]"
        by_name.setdefault(key, []).append("marked" if marked else "for all")
    twice = {key for key, kinds in by_name.items() if len(kinds) > 1 and "for all" in kinds}
    assert twice == set()
