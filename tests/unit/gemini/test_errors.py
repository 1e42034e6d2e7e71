"""The table of errors is complete: whatever an SDK can name has a row."""

from collections.abc import Iterator

import google.ai.generativelanguage as glm
import pytest
from google.api_core import exceptions as google_errors
from google.genai import errors as genai_errors
from google.genai import types as genai_types

from worker.gemini.adapters.errors import (
    BLOCK_REASON,
    FINISH_REASON,
    HTTP_STATUS,
    INVALID,
    MISCONFIGURED,
    RETRY_UNAVAILABLE,
    Verdict,
    failure,
    of_block_reason,
    of_finish_reason,
    of_status,
)
from worker.gemini.port import Blocked, InvalidOutput, Misconfigured, Unavailable, reason_of


def members_of_googles_error_tree(
    root: type[google_errors.GoogleAPICallError] = google_errors.GoogleAPICallError,
) -> Iterator[type[google_errors.GoogleAPICallError]]:
    for child in root.__subclasses__():
        yield child
        yield from members_of_googles_error_tree(child)


@pytest.mark.parametrize(
    "kind",
    [kind for kind in members_of_googles_error_tree() if kind.code is not None],
    ids=lambda kind: kind.__name__,
)
def test_every_member_of_googles_error_tree_has_a_row(
    kind: type[google_errors.GoogleAPICallError],
) -> None:
    assert int(kind.code) in HTTP_STATUS


def test_google_genai_has_no_errors_but_those_with_a_status() -> None:
    """They are told apart by `code` alone; a new kind of error would need a look."""
    kinds = {kind.__name__ for kind in genai_errors.APIError.__subclasses__()}
    assert kinds == {"ClientError", "ServerError"}


def test_every_finish_reason_of_both_sdks_has_a_row() -> None:
    names = {member.name for member in glm.Candidate.FinishReason}
    names |= {member.name for member in genai_types.FinishReason}
    assert names - set(FINISH_REASON) == set()


def test_every_block_reason_of_both_sdks_has_a_row() -> None:
    names = {member.name for member in glm.GenerateContentResponse.PromptFeedback.BlockReason}
    names |= {member.name for member in genai_types.BlockedReason}
    assert names - set(BLOCK_REASON) == set()


def test_what_nobody_listed_is_our_fault_below_500_and_theirs_above() -> None:
    assert of_status(418) == MISCONFIGURED
    assert of_status(599) == RETRY_UNAVAILABLE


def test_a_finish_reason_newer_than_the_table_is_no_reason_to_trust_the_answer() -> None:
    assert of_finish_reason("BRAND_NEW") == INVALID
    assert of_block_reason("BRAND_NEW").kind == "blocked"


@pytest.mark.parametrize(
    "verdict",
    sorted(
        {v for table in (HTTP_STATUS, FINISH_REASON, BLOCK_REASON) for v in table.values() if v},
        key=str,
    ),
    ids=lambda verdict: f"{verdict.kind}-{verdict.reason}",
)
def test_each_verdict_becomes_the_error_that_ends_in_its_reason(verdict: Verdict) -> None:
    kinds = {
        "retry": Unavailable,
        "blocked": Blocked,
        "invalid": InvalidOutput,
        "misconfigured": Misconfigured,
    }
    error = failure(verdict, "detail")
    assert type(error) is kinds[verdict.kind]
    assert reason_of(error) == verdict.reason
