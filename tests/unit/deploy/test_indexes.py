"""deploy/firestore.indexes.json: what the queries need, and nothing in the order of time."""

import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.types import StructuredQuery

from shared.domain.activation import Activation
from shared.errors import StoreUnavailable
from shared.google.firestore import DEAD_LETTERS, SHARDS, FirestoreStore
from shared.google.submissions import SUBMISSIONS
from tests import ROOT

FILE = ROOT / "deploy" / "firestore.indexes.json"
FOUND: dict[str, Any] = json.loads(FILE.read_text())
TIMES = {
    *("created_at", "updated_at", "due_at", "expires_at", "deadline", "not_before"),
    *("claimed_at", "republished"),
}
NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)
MOST_DISJUNCTIONS = 30
"""Of one query (page: Quotas and limits)."""

Index = list[tuple[str, str]]
QUERIES: dict[str, Callable[[FirestoreStore], object]] = {
    "page": lambda store: store.page("anna", limit=20),
    "due": lambda store: store.due(NOW, limit=100),
    "recent": lambda store: store.recent(NOW, limit=100),
    "delete_all": lambda store: store.delete_all("anna"),
}


def fields(index: dict[str, Any]) -> Index:
    return [(field["fieldPath"], field["order"]) for field in index["fields"]]


def exempted(collection: str) -> set[str]:
    return {
        override["fieldPath"]
        for override in FOUND["fieldOverrides"]
        if override["collectionGroup"] == collection and override["indexes"] == []
    }


class Refused(Exception):
    """Instead of a call."""


def query_of(call: Callable[[FirestoreStore], object]) -> StructuredQuery:
    """What the store would send."""
    client = firestore.Client(project="p", credentials=AnonymousCredentials())
    sent: list[Any] = []

    class Api:
        def __getattr__(self, name: str) -> Callable[..., object]:
            def refuse(request: dict[str, Any], **_: object) -> object:
                sent.append(request)
                raise StoreUnavailable(name)

            return refuse

    client._firestore_api_internal = Api()
    with pytest.raises(StoreUnavailable):
        call(FirestoreStore(client, "activations"))
    [request] = sent
    if "structured_aggregation_query" in request:
        return request["structured_aggregation_query"].structured_query
    return request["structured_query"]


def index_for(query: StructuredQuery) -> Index:
    """Equalities first, then what is sorted by, or compared (page: Index types)."""
    where = query.where
    filters = [where.field_filter] if "field_filter" in where else []
    filters += [part.field_filter for part in where.composite_filter.filters]
    equal = {StructuredQuery.FieldFilter.Operator.EQUAL, StructuredQuery.FieldFilter.Operator.IN}
    same = [(each.field.field_path, "ASCENDING") for each in filters if each.op in equal]
    compared = [(each.field.field_path, "ASCENDING") for each in filters if each.op not in equal]
    ordered = [(each.field.field_path, each.direction.name) for each in query.order_by]
    return same + (ordered or compared)


@pytest.mark.parametrize("name", QUERIES)
def test_each_query_of_the_store_has_its_index(name: str) -> None:
    needed = [part for part in index_for(query_of(QUERIES[name])) if part[0] != "__name__"]
    if len(needed) == 1:
        assert needed[0][0] not in exempted("activations")
    else:
        assert needed in [fields(index) for index in FOUND["indexes"]]


def test_no_index_is_made_for_nobody() -> None:
    needed = [index_for(query_of(call)) for call in QUERIES.values()]
    assert [index for index in FOUND["indexes"] if fields(index) not in needed] == []


def test_a_query_over_all_shards_is_one_that_firestore_takes() -> None:
    assert SHARDS <= MOST_DISJUNCTIONS


def test_no_index_begins_with_a_time() -> None:
    """Such a one would limit the collection to about 500 writes a second (Best practices)."""
    assert not [index for index in FOUND["indexes"] if fields(index)[0][0] in TIMES]


def test_of_single_fields_only_the_user_is_indexed() -> None:
    stored = {*Activation.model_fields, "shard"}
    assert stored - exempted("activations") == {"user_id"}


def test_of_dead_letters_only_whose_they_are_is_indexed() -> None:
    """By that they are erased; what the file does not name, Firestore indexes itself."""
    stored = {"data", "attributes", "why", "received_at", "expires_at"}
    assert exempted(DEAD_LETTERS) == stored


def test_of_the_counters_of_submits_nothing_is_indexed() -> None:
    """An array would have an entry for each submit, and both fields grow with the time."""
    assert exempted(SUBMISSIONS) == {"times", "expires_at"}


def test_all_collections_are_deleted_when_they_expire() -> None:
    ttl = [(o["collectionGroup"], o["fieldPath"]) for o in FOUND["fieldOverrides"] if o.get("ttl")]
    collections = ("activations", DEAD_LETTERS, SUBMISSIONS)
    assert ttl == [(collection, "expires_at") for collection in collections]
