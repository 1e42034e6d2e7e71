"""docs/gemini/README.md shows the requests that are sent."""

import pytest

from tests.contract.gemini.request_docs import DOCUMENT, sent, shown


@pytest.mark.parametrize("sdk", ["google-generativeai", "google-genai"])
def test_the_request_in_the_document_is_the_one_that_is_sent(sdk: str) -> None:
    assert shown(DOCUMENT.read_text(encoding="utf-8"))[sdk] == sent(sdk)
