"""The OpenAPI 3.1 document: schemas from the pydantic models, operations from here.

tests/http/ingress/test_openapi.py asserts that it names the app's routes and no others;
schemathesis, in tests/e2e/api, asserts that the answers are as it says.
"""

from openapi_pydantic import Info, OpenAPI, Operation, PathItem, Schema, SecurityScheme, Tag
from openapi_pydantic.util import construct_open_api_with_schema_class

from ingress.api.history import DEFAULT_LIMIT, MOST
from ingress.api.representation import ActivationPage, ActivationResponse, Representation, Welcome
from ingress.openapi.parts import (
    ACCEPT_LANGUAGE,
    APPLIED,
    ETAG,
    ID,
    IDEMPOTENCY_KEY,
    IF_NONE_MATCH,
    LIMITED,
    LOCATION,
    NOT_FOUND,
    PREFER,
    REPLAYED,
    RETRY_AFTER,
    SUBMITTING,
    UNREADABLE,
    Responses,
    answer,
    body_of,
    parameter,
    problem,
)
from shared.http.health import Readiness, Up

WISH = {"mood": 2, "goal": "komma igång"}
SIGNED_IN = [{"firebase": list[str]()}]
UNPROTECTED = list[dict[str, list[str]]]()

WAITING_ROUTE = Operation(
    operationId="getActivation",
    tags=["activations"],
    summary="Submit, and wait for the step",
    description="The first frontend's contract: waits up to SYNC_WAIT_SECONDS and answers with the "
    "flat step. With `Prefer: respond-async` as `POST /activations`.",
    parameters=[PREFER, IDEMPOTENCY_KEY, ACCEPT_LANGUAGE],
    requestBody=body_of(WISH),
    responses={
        **SUBMITTING,
        **answer(200, "The step.", ActivationResponse, APPLIED, REPLAYED),
        **answer(202, "Accepted.", Representation, LOCATION, RETRY_AFTER, ETAG, APPLIED, REPLAYED),
        **problem(404, "erased meanwhile."),
        **problem(409, "cancelled meanwhile.", APPLIED, REPLAYED),
        **problem(
            504, "not done in time; the work goes on.", LOCATION, RETRY_AFTER, APPLIED, REPLAYED
        ),
    },
)

SUBMIT = Operation(
    operationId="submit",
    tags=["activations"],
    summary="Submit",
    description="Accepted in milliseconds. With `Prefer: wait=N` 200 when it is done in time.",
    parameters=[PREFER, IDEMPOTENCY_KEY, ACCEPT_LANGUAGE],
    requestBody=body_of(WISH),
    responses={
        **SUBMITTING,
        **answer(200, "Done in time.", Representation, LOCATION, ETAG, APPLIED, REPLAYED),
        **answer(202, "Accepted.", Representation, LOCATION, RETRY_AFTER, ETAG, APPLIED, REPLAYED),
        **problem(404, "erased meanwhile."),
    },
)

LIST = Operation(
    operationId="list",
    tags=["activations"],
    summary="The caller's own, newest first",
    parameters=[
        parameter(
            "query",
            "limit",
            schema=Schema(type="integer", minimum=1, maximum=MOST, default=DEFAULT_LIMIT),
        ),
        parameter(
            "query",
            "cursor",
            description="`next_cursor` of the page before; opaque.",
            schema=Schema(type="string"),
        ),
    ],
    responses={
        **LIMITED,
        **answer(200, "A page.", ActivationPage),
        **problem(422, "no such limit or cursor."),
    },
)

SHOW = Operation(
    operationId="show",
    tags=["activations"],
    summary="One activation",
    description="With `Prefer: wait=N` it answers when the activation differs from the ETag given, "
    "or, without one, when it is done; at the latest after N seconds.",
    parameters=[ID, PREFER, IF_NONE_MATCH],
    responses={
        **LIMITED,
        **NOT_FOUND,
        **answer(200, "The activation.", Representation, ETAG, RETRY_AFTER, APPLIED),
        **answer(304, "Nothing has changed.", None, ETAG, RETRY_AFTER, APPLIED),
    },
)

CANCEL = Operation(
    operationId="cancel",
    tags=["activations"],
    summary="Not wanted any more",
    description="Idempotent.",
    parameters=[ID],
    responses={
        **LIMITED,
        **NOT_FOUND,
        **answer(200, "Cancelled.", Representation, ETAG),
        **problem(409, "completed already."),
    },
)

ERASE = Operation(
    operationId="erase",
    tags=["activations"],
    summary="Erase one",
    description="Work under way can't bring it back.",
    parameters=[ID],
    responses={**LIMITED, **NOT_FOUND, **answer(204, "Erased.")},
)

ERASE_ALL = Operation(
    operationId="eraseAll",
    tags=["activations"],
    summary="Erase all of the caller's",
    responses={**LIMITED, **answer(204, "Erased.")},
)

LATEST = Operation(
    operationId="latest",
    tags=["activations"],
    summary="The caller's latest completed one",
    responses={
        **LIMITED,
        **answer(200, "The step.", ActivationResponse),
        **problem(404, "none is completed yet."),
    },
)


def _open(operation_id: str, summary: str, responses: Responses) -> Operation:
    """A route that needs no ID token."""
    return Operation(
        operationId=operation_id,
        tags=["service"],
        summary=summary,
        security=UNPROTECTED,
        responses={**UNREADABLE, **responses},
    )


WELCOME = _open("welcome", "Says hello", answer(200, "Hello.", Welcome))
LIVEZ = _open("livez", "The process is up", answer(200, "It is.", Up))
READYZ = _open(
    "readyz",
    "Store and queue answer",
    {
        **answer(200, "They do.", Readiness),
        **answer(503, "One does not; `reasons` says which.", Readiness),
    },
)
PATHS = {
    "/": PathItem(get=WELCOME),
    "/gemini/getActivation": PathItem(post=WAITING_ROUTE),
    "/activations": PathItem(post=SUBMIT, get=LIST, delete=ERASE_ALL),
    "/activations/{activation_id}": PathItem(get=SHOW, delete=ERASE),
    "/activations/{activation_id}/cancel": PathItem(post=CANCEL),
    "/user/activation": PathItem(get=LATEST),
    "/livez": PathItem(get=LIVEZ),
    "/readyz": PathItem(get=READYZ),
}


def openapi_document(*, signed_in: bool) -> bytes:
    """The document as JSON. `signed_in`: whether callers need an ID token (AUTH=firebase)."""
    scheme = SecurityScheme(
        type="http", scheme="bearer", bearerFormat="JWT", description="A Firebase ID token."
    )
    described = OpenAPI(
        info=Info(
            title="InnerJourney activations",
            version="1",
            description="Say how you feel and what you want, and get one small step.",
        ),
        tags=[Tag(name="activations"), Tag(name="service")],
        paths=PATHS,
        security=SIGNED_IN if signed_in else None,
    )
    complete = construct_open_api_with_schema_class(described)
    if complete.components is not None:
        complete.components.securitySchemes = {"firebase": scheme} if signed_in else None
    return complete.model_dump_json(by_alias=True, exclude_none=True, indent=1).encode()
