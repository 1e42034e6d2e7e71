"""deploy/firestore.indexes.json: what the queries need, and nothing in the order of time."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.activation import Activation
from shared.firestore import DEAD_LETTERS

FILE = Path(__file__).resolve().parents[2] / "deploy" / "firestore.indexes.json"
FOUND: dict[str, Any] = json.loads(FILE.read_text())
TIMES = {"created_at", "updated_at", "due_at", "expires_at", "deadline", "not_before"}


def fields(index: dict[str, Any]) -> list[tuple[str, str]]:
    return [(field["fieldPath"], field["order"]) for field in index["fields"]]


def exempted(collection: str) -> set[str]:
    return {
        override["fieldPath"]
        for override in FOUND["fieldOverrides"]
        if override["collectionGroup"] == collection and override["indexes"] == []
    }


@pytest.mark.parametrize(
    "needed",
    [
        [("user_id", "ASCENDING"), ("created_at", "DESCENDING"), ("activation_id", "DESCENDING")],
        [("user_id", "ASCENDING"), ("created_at", "ASCENDING")],
        [("shard", "ASCENDING"), ("due_at", "ASCENDING")],
        [("shard", "ASCENDING"), ("created_at", "DESCENDING")],
    ],
    ids=["page", "count_since", "due", "recent"],
)
def test_each_query_of_the_store_has_its_index(needed: list[tuple[str, str]]) -> None:
    assert needed in [fields(index) for index in FOUND["indexes"]]


def test_no_index_begins_with_a_time() -> None:
    """Such a one would limit the collection to about 500 writes a second (Best practices)."""
    assert not [index for index in FOUND["indexes"] if fields(index)[0][0] in TIMES]


def test_of_single_fields_only_the_user_is_indexed() -> None:
    stored = {*Activation.model_fields, "shard"}
    assert stored - exempted("activations") == {"user_id"}


def test_dead_letters_are_not_indexed() -> None:
    stored = {"data", "attributes", "why", "received_at", "expires_at"}
    assert exempted(DEAD_LETTERS) == stored


def test_both_collections_are_deleted_when_they_expire() -> None:
    ttl = [(o["collectionGroup"], o["fieldPath"]) for o in FOUND["fieldOverrides"] if o.get("ttl")]
    assert ttl == [("activations", "expires_at"), (DEAD_LETTERS, "expires_at")]
