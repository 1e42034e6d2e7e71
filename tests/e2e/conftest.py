"""The pipeline on both backends, shared by the tests of a module."""

from collections.abc import Iterator

import pytest

from tests.e2e.pipeline import Pipeline, running
from tests.fake_gemini import FakeGemini
from tests.support.emulators import need_emulators


@pytest.fixture(scope="module")
def gemini() -> Iterator[FakeGemini]:
    with FakeGemini() as gemini:
        yield gemini


@pytest.fixture(scope="module", params=["embedded", "emulators"])
def pipeline(
    request: pytest.FixtureRequest,
    gemini: FakeGemini,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pipeline]:
    on_emulators = request.param == "emulators"
    if on_emulators:
        need_emulators()
    folder = tmp_path_factory.mktemp(request.param)
    with running(folder, gemini, emulators=on_emulators) as pipeline:
        yield pipeline
