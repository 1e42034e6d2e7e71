"""docker-compose.yml as Docker Compose reads it: merged, interpolated, service by service."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests import ROOT

_VARIABLE = re.compile(r"\$\{(\w+)(:?)-([^}]*)\}")
"""With a colon the default also stands in for an empty value."""


@dataclass(frozen=True)
class Service:
    name: str
    raw: Mapping[str, Any]
    command: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def is_ours(self) -> bool:
        return bool(self.raw["image"] == "innerjourney-backend")

    @property
    def health_command(self) -> list[str]:
        """In exec form; empty where the service has none."""
        test: list[str] = self.raw.get("healthcheck", {}).get("test", [])
        return test[1:]


def services(given: Mapping[str, str] | None = None) -> dict[str, Service]:
    """By name; `given` is the environment that `docker compose up` is called in."""
    text = (ROOT / "docker-compose.yml").read_text()
    caller = given or {}

    def value(variable: re.Match[str]) -> str:
        name, colon, default = variable.groups()
        found = caller.get(name, default)
        return default if colon and not found else found

    found = yaml.safe_load(_VARIABLE.sub(value, text))
    return {name: _service(name, raw) for name, raw in found["services"].items()}


def interpolated() -> set[str]:
    """The variables that the file takes from its caller."""
    return {name for name, *_ in _VARIABLE.findall((ROOT / "docker-compose.yml").read_text())}


def _service(name: str, raw: Mapping[str, Any]) -> Service:
    command = raw.get("command", [])
    words = shlex.split(command) if isinstance(command, str) else command
    environment = {key: str(value or "") for key, value in raw.get("environment", {}).items()}
    return Service(name, raw, tuple(words), environment)
