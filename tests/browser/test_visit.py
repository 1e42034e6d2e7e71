"""What every visit is watched for is noticed: a watch that sees nothing proves nothing."""

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Visiting
from tests.browser.visit import visiting
from tests.e2e.pipeline import Pipeline


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("document.querySelector('label[for=goal]').remove()", "label"),
        ("document.querySelector('h1').style.color = '#ccd'", "color-contrast"),
        ("document.querySelector('main').style.width = '900px'", "too wide"),
    ],
)
def test_a_barrier_is_found(visit: Visiting, change: str, found: str) -> None:
    someone = visit(phone=True)
    someone.sees_the_form()
    someone.page.evaluate(
        f"() => {{ document.querySelector('textarea').placeholder = ''; {change} }}"
    )
    with pytest.raises(AssertionError, match=found):
        someone.has_no_barrier()


@pytest.mark.parametrize("bug", ["console.error('oj')", "setTimeout(() => { throw Error('oj') })"])
def test_an_error_of_a_script_is_heard(browser: Browser, pipeline: Pipeline, bug: str) -> None:
    def visit() -> None:
        with visiting(browser, pipeline.url) as someone:
            someone.open().page.evaluate(f"() => {{ {bug} }}")
            someone.until(lambda: bool(someone.said), "the error")

    with pytest.raises(AssertionError, match="oj"):
        visit()


def test_a_request_to_somewhere_else_is_seen(browser: Browser, pipeline: Pipeline) -> None:
    def visit() -> None:
        with visiting(browser, pipeline.url) as someone:
            someone.context.route("**/elsewhere", lambda route: route.fulfill(body=""))
            someone.page.goto("http://127.0.0.1:9/elsewhere")

    with pytest.raises(AssertionError, match="elsewhere"):
        visit()
