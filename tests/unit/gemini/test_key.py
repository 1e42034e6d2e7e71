"""The key from Secret Manager, read over the wire from a small server that speaks its gRPC."""

from collections.abc import Iterator
from concurrent import futures
from dataclasses import dataclass, field

import grpc
import pytest
from google.cloud.secretmanager import (
    AccessSecretVersionRequest,
    AccessSecretVersionResponse,
    SecretManagerServiceClient,
    SecretPayload,
)
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)

from shared.errors import SettingsError
from shared.settings import Settings
from worker.gemini.key import with_gemini_key

NAME = "projects/p/secrets/gemini-api-key/versions/latest"
KEY = "AIza-canary-key"


@dataclass
class FakeSecretManager:
    """Answers AccessSecretVersion with `data`, after failing with each of `codes`."""

    data: bytes = KEY.encode()
    codes: list[grpc.StatusCode] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def access(
        self, request: AccessSecretVersionRequest, context: grpc.ServicerContext
    ) -> AccessSecretVersionResponse:
        self.asked.append(request.name)
        if self.codes:
            context.abort(self.codes.pop(0), f"no {KEY} for you")
        return AccessSecretVersionResponse(name=request.name, payload=SecretPayload(data=self.data))

    def connect(self) -> SecretManagerServiceClient:
        channel = grpc.insecure_channel(
            f"127.0.0.1:{self.port}", options=[("grpc.enable_http_proxy", 0)]
        )
        return SecretManagerServiceClient(
            transport=SecretManagerServiceGrpcTransport(channel=channel)
        )


@pytest.fixture
def fake() -> Iterator[FakeSecretManager]:
    fake = FakeSecretManager()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    method = grpc.unary_unary_rpc_method_handler(
        fake.access,
        request_deserializer=AccessSecretVersionRequest.deserialize,
        response_serializer=AccessSecretVersionResponse.serialize,
    )
    service = "google.cloud.secretmanager.v1.SecretManagerService"
    handler = grpc.method_handlers_generic_handler(service, {"AccessSecretVersion": method})
    server.add_generic_rpc_handlers((handler,))
    fake.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield fake
    server.stop(grace=None).wait()


def key_of(settings: Settings) -> str | None:
    key = settings.gemini_api_key
    return key.get_secret_value() if key else None


def test_the_key_is_what_the_secret_holds(fake: FakeSecretManager) -> None:
    settings = with_gemini_key(Settings(gemini_api_key_secret=NAME), fake.connect)
    assert key_of(settings) == KEY
    assert fake.asked == [NAME]


def test_the_newline_that_echo_adds_is_no_part_of_the_key(fake: FakeSecretManager) -> None:
    fake.data = f"{KEY}\n".encode()
    assert key_of(with_gemini_key(Settings(gemini_api_key_secret=NAME), fake.connect)) == KEY


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"gemini_api_key": "mine"},
        {"gemini_api_key": "m", "gemini_api_key_secret": NAME},
        {"google_genai_use_vertexai": True, "gemini_api_key_secret": NAME},
    ],
)
def test_no_secret_is_read_where_none_is_named_or_needed(
    fake: FakeSecretManager, given: dict[str, object]
) -> None:
    settings = Settings.model_validate(given)
    assert with_gemini_key(settings, fake.connect) is settings
    assert fake.asked == []


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, "PermissionDenied"),
        (grpc.StatusCode.NOT_FOUND, "NotFound"),
        (grpc.StatusCode.FAILED_PRECONDITION, "FailedPrecondition"),  # a disabled version
        (grpc.StatusCode.UNAUTHENTICATED, "Unauthenticated"),
    ],
)
def test_a_secret_that_cant_be_read_stops_the_start_in_one_line_that_quotes_nothing(
    fake: FakeSecretManager, code: grpc.StatusCode, name: str
) -> None:
    fake.codes = [code]
    with pytest.raises(SettingsError) as stopped:
        with_gemini_key(Settings(gemini_api_key_secret=NAME), fake.connect)
    assert str(stopped.value) == (
        f"GEMINI_API_KEY_SECRET='{NAME}': expected a secret that can be read ({name})"
    )
    assert len(fake.asked) == 1


@pytest.mark.parametrize("data", [b"", b" \n", b"\xff\xfe"])
def test_a_secret_without_a_key_stops_the_start(fake: FakeSecretManager, data: bytes) -> None:
    fake.data = data
    with pytest.raises(SettingsError, match=r"expected a secret that holds a key$"):
        with_gemini_key(Settings(gemini_api_key_secret=NAME), fake.connect)


def test_the_key_is_in_no_line_that_shows_the_settings(fake: FakeSecretManager) -> None:
    settings = with_gemini_key(Settings(gemini_api_key_secret=NAME), fake.connect)
    assert KEY not in f"{settings} {settings!r} {settings.model_dump_json()}"


def test_a_passing_failure_is_tried_again(fake: FakeSecretManager) -> None:
    fake.codes = [grpc.StatusCode.UNAVAILABLE]
    assert key_of(with_gemini_key(Settings(gemini_api_key_secret=NAME), fake.connect)) == KEY
    assert len(fake.asked) == 2
