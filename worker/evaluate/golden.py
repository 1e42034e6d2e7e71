"""The golden set: what is asked, and what a good answer must or must not be."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["wish", "injection", "crisis"]


class Case(BaseModel):
    """One request. `must_not`: texts that only an answer that obeyed the injection would hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: Kind
    mood: int = Field(ge=1, le=5)
    language: str
    goal: str
    must_not: tuple[str, ...] = ()


class GoldenSet(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    about: tuple[str, ...]
    version: int
    cases: tuple[Case, ...]


def load_golden_set() -> GoldenSet:
    text = Path(__file__).with_name("golden.json").read_text(encoding="utf-8")
    return GoldenSet.model_validate_json(text)
