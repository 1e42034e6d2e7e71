"""The tests: unit, http, contract, e2e, browser, chaos."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""Of the repository."""
