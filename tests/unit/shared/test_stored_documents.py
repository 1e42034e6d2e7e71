"""An unreadable document is told of once, and by place alone."""

import uuid

import pytest
from structlog.testing import capture_logs

from shared.domain.activation import Activation
from shared.errors import StoreUnavailable
from shared.stored_documents import read_document
from tests.builders import an_activation

CANARY = "kanariefågel"


def read_spoilt(activation_id: str) -> None:
    document = {**an_activation(goal=CANARY).model_dump(), "mood": CANARY, "step": [CANARY]}
    with pytest.raises(StoreUnavailable):
        read_document(activation_id, lambda: Activation.model_validate(document))


def test_it_is_logged_once_however_often_it_is_met() -> None:
    one, other = uuid.uuid4().hex, uuid.uuid4().hex
    with capture_logs() as logs:
        for activation_id in (one, other, one, one):
            read_spoilt(activation_id)
    assert [line["activation_id"] for line in logs] == [one, other]


def test_the_line_asks_for_a_human_and_names_the_places_but_no_value() -> None:
    with capture_logs() as logs:
        read_spoilt(uuid.uuid4().hex)
    (line,) = logs
    assert (line["event"], line["log_level"], line["alert"]) == ("store.unreadable", "error", True)
    assert line["places"] == ("mood", "step")
    assert CANARY not in str(logs)
