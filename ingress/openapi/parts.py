"""Parameters, headers and responses that operations of the OpenAPI document share."""

from http import HTTPStatus
from typing import Any

from openapi_pydantic import Header, MediaType, Parameter, RequestBody, Response, Schema
from openapi_pydantic.util import PydanticSchema
from pydantic import BaseModel

from ingress.api.request import ActivationRequest
from shared.http.problems import CONTENT_TYPE, ProblemBody

JSON = "application/json"
Responses = dict[str, Response]


def _text_header(description: str) -> Header:
    return Header(description=description, schema=Schema(type="string"))


def _seconds_header(description: str) -> Header:
    return Header(description=description, schema=Schema(type="integer", minimum=1))


def parameter(where: str, name: str, **more: Any) -> Parameter:
    """`where` is path, query or header: OpenAPI's `in`, which is a keyword of Python."""
    return Parameter(**{"in": where, "name": name, **more})


REQUEST_ID = {"X-Request-Id": _text_header("Names this request in the logs.")}
ETAG = {"ETag": _text_header("Strong validator of the representation.")}
LOCATION = {"Location": _text_header("Where the activation is.")}
RETRY_AFTER = {"Retry-After": _seconds_header("Seconds until it is worth asking again.")}
APPLIED = {"Preference-Applied": _text_header("Which preferences were followed (RFC 7240).")}
REPLAYED = {
    "Idempotency-Replayed": _text_header("`true` where an earlier request has made this one.")
}

ID = parameter(
    "path",
    "activation_id",
    required=True,
    schema=Schema(type="string", pattern="^[A-Za-z0-9_-]{1,64}$"),
    example="80b0d1b93a83b6a1bdfca0a0d5f64f31",
)
PREFER = parameter(
    "header",
    "Prefer",
    description="RFC 7240: `wait=N` (seconds, at most 30) and `respond-async`.",
    schema=Schema(type="string"),
    example="wait=20",
)
IDEMPOTENCY_KEY = parameter(
    "header",
    "Idempotency-Key",
    description="A new UUID for each wish; the same one on each retry of it.",
    schema=Schema(type="string", pattern="^[!-~]{1,255}$"),
    example="8e03978e-40d5-43e8-bc93-6894a57f9324",
)
IF_NONE_MATCH = parameter(
    "header",
    "If-None-Match",
    description="The ETag that the client has; 304 while nothing has changed.",
    schema=Schema(type="string"),
)
ACCEPT_LANGUAGE = parameter("header", "Accept-Language", schema=Schema(type="string"))


def _schema_of(model: type[BaseModel]) -> Schema:
    """Becomes a reference to the model's own schema."""
    return PydanticSchema[BaseModel](schema_class=model)


def body_of(example: dict[str, Any]) -> RequestBody:
    media = MediaType(schema=_schema_of(ActivationRequest), example=example)
    return RequestBody(required=True, content={JSON: media})


def answer(
    status: int,
    description: str,
    model: type[BaseModel] | None = None,
    *headers: dict[str, Header],
) -> Responses:
    content = None if model is None else {JSON: MediaType(schema=_schema_of(model))}
    return {str(status): _response(description, content, *headers)}


def problem(status: int, description: str, *headers: dict[str, Header]) -> Responses:
    media = MediaType(schema=_schema_of(ProblemBody))
    shown = f"{HTTPStatus(status).phrase}: {description}"
    return {str(status): _response(shown, {CONTENT_TYPE: media}, *headers)}


def _response(
    description: str, content: dict[str, MediaType] | None, *headers: dict[str, Header]
) -> Response:
    named: dict[str, Any] = dict(REQUEST_ID)
    for more in headers:
        named.update(more)
    return Response(description=description, headers=named, content=content)


UNREADABLE: Responses = {
    **problem(400, "a header or the request line can't be read."),
    **problem(414, "an address of more than 4 KiB."),
    **problem(431, "too many headers, or one of more than 8 KiB."),
}
SIGN_IN = problem(401, "sign in again.", {"WWW-Authenticate": _text_header("`Bearer`")})
NOT_FOUND = problem(404, "missing, erased, or somebody else's.")
TOO_MANY = problem(429, "over a limit.", RETRY_AFTER)
BROKEN = problem(500, "a bug of ours.")
AWAY = problem(503, "our storage is away.", RETRY_AFTER)

LIMITED: Responses = {**UNREADABLE, **SIGN_IN, **BROKEN, **AWAY, **TOO_MANY}
"""Problems that every route about a user's own data may answer with."""

SUBMITTING: Responses = {
    **LIMITED,
    **problem(400, "no JSON, or a header that can't be."),
    **problem(413, "more than 32 KiB."),
    **problem(415, "anything but JSON in UTF-8."),
    **problem(422, "wrong values, or an Idempotency-Key of another request."),
}
