"""Who calls: bearer tokens against a key server on loopback, for users and for pushes."""

import base64
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from ingress.api.identity import LOCAL_USER, identity, signed_in_user
from shared.auth.signing_keys import NoKeysYet, SigningKeys
from shared.auth.tokens import (
    LEEWAY_SECONDS,
    LONGEST_TOKEN,
    TokenVerifier,
    bearer_token,
    firebase_verifier,
    push_verifier,
)
from shared.errors import TokenRefused
from shared.http.problems import Problem
from shared.settings import Settings
from tests.doubles import FakeTime
from worker.http.push_auth import only_for, push_authorization

AUDIENCE = "https://worker.example/pubsub/push"
GOOGLE = "https://accounts.google.com"
PUSHER = "push@innerjourney.iam.gserviceaccount.com"
PROJECT = "innerjourney"
FIREBASE = f"https://securetoken.google.com/{PROJECT}"

OUR_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class KeyServer:
    """A JWKS address that counts how often it is asked."""

    def __init__(self) -> None:
        self.fetches = 0
        self.status = 200
        public = json.loads(RSAAlgorithm.to_jwk(OUR_KEY.public_key()))
        key = {**public, "kid": "k1", "use": "sig", "alg": "RS256"}
        self.body = json.dumps({"keys": [key]}).encode()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/certs"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(keys: KeyServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            keys.fetches += 1
            self.send_response(keys.status)
            self.send_header("Content-Length", str(len(keys.body)))
            self.end_headers()
            self.wfile.write(keys.body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler


@pytest.fixture
def keys() -> Iterator[KeyServer]:
    server = KeyServer()
    yield server
    server.stop()


@pytest.fixture
def verifier(keys: KeyServer) -> TokenVerifier:
    return push_verifier(AUDIENCE, keys.url)


@pytest.fixture
def resetting_url() -> Iterator[str]:
    """A server that takes the request and resets the connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def reset() -> None:
        connection, _ = listener.accept()
        connection.recv(65_536)
        linger_not_at_all = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not_at_all)
        connection.close()

    thread = threading.Thread(target=reset, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/certs"
    thread.join(5)
    listener.close()


def some_claims(**changes: Any) -> dict[str, Any]:
    """What Google puts into the token of a push; None takes a claim away."""
    now = datetime.now(timezone.utc)
    claims: dict[str, Any] = {
        "aud": AUDIENCE,
        "azp": "1234567890",
        "email": PUSHER,
        "email_verified": True,
        "exp": now + timedelta(hours=1),
        "iat": now,
        "iss": GOOGLE,
        "sub": "1234567890",
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def a_token(key: rsa.RSAPrivateKey = OUR_KEY, kid: str = "k1", **changes: Any) -> str:
    return jwt.encode(some_claims(**changes), key, algorithm="RS256", headers={"kid": kid})


def expired(seconds: float) -> str:
    return a_token(exp=datetime.now(timezone.utc) - timedelta(seconds=seconds))


def encoded(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=datetime.timestamp)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def unsigned() -> str:
    header = encoded({"alg": "none", "kid": "k1", "typ": "JWT"})
    return f"{header}.{encoded(some_claims())}."


def signed_with_the_public_key_as_a_secret() -> str:
    """The classic confusion: HS256, keyed with what everybody can fetch."""
    public = OUR_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed = f"{encoded({'alg': 'HS256', 'kid': 'k1', 'typ': 'JWT'})}.{encoded(some_claims())}"
    algorithm = jwt.get_algorithm_by_name("HS256")
    # PyJWT refuses to take a PEM for a secret; a forger would not.
    signature = algorithm.sign(signed.encode(), public)
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def with_another_signature() -> str:
    mine, other = a_token(), a_token(sub="somebody else")
    return ".".join([*other.split(".")[:2], mine.split(".")[2]])


# What is accepted


def test_a_good_token_gives_its_claims(verifier: TokenVerifier) -> None:
    assert verifier.verify(a_token())["email"] == PUSHER


@pytest.mark.parametrize("issuer", [GOOGLE, "accounts.google.com"])
def test_both_of_googles_issuers_are_accepted(verifier: TokenVerifier, issuer: str) -> None:
    assert verifier.verify(a_token(iss=issuer))["iss"] == issuer


def test_clocks_may_differ_by_less_than_30_s(verifier: TokenVerifier) -> None:
    assert verifier.verify(expired(20))["sub"] == "1234567890"


def test_a_token_from_a_clock_slightly_ahead_is_accepted(verifier: TokenVerifier) -> None:
    ahead = datetime.now(timezone.utc) + timedelta(seconds=20)
    assert verifier.verify(a_token(iat=ahead, nbf=ahead))["sub"] == "1234567890"


def test_a_firebase_token_of_the_project_is_accepted(keys: KeyServer) -> None:
    token = a_token(aud=PROJECT, iss=FIREBASE, sub="anna")
    assert firebase_verifier(PROJECT, keys.url).verify(token)["sub"] == "anna"


# What is refused

FORGED: dict[str, Callable[[], str]] = {
    "of another audience": lambda: a_token(aud="https://evil.example"),
    "of several wrong audiences": lambda: a_token(aud=["a", "b"]),
    "of another issuer": lambda: a_token(iss="https://accounts.google.com.evil.example"),
    "of a Firebase user": lambda: a_token(iss=FIREBASE, aud=PROJECT),
    "expired": lambda: expired(3600),
    "expired beyond the leeway": lambda: expired(31),
    "issued in the future": lambda: a_token(
        iat=datetime.now(timezone.utc) + timedelta(seconds=120)
    ),
    "not valid yet": lambda: a_token(nbf=datetime.now(timezone.utc) + timedelta(seconds=120)),
    "without aud": lambda: a_token(aud=None),
    "without exp": lambda: a_token(exp=None),
    "without iat": lambda: a_token(iat=None),
    "without iss": lambda: a_token(iss=None),
    "without sub": lambda: a_token(sub=None),
    "unsigned": unsigned,
    "HS256 by the public key": signed_with_the_public_key_as_a_secret,
    "by another key under our kid": lambda: a_token(OTHER_KEY),
    "of an unknown kid": lambda: a_token(OTHER_KEY, kid="k2"),
    "with the signature of another": with_another_signature,
    "with its signature cut off": lambda: a_token().rpartition(".")[0] + ".",
    "empty": lambda: "",
    "a word": lambda: "garbage",
    "three words": lambda: "a.b.c",
    "two dots": lambda: "..",
    "not ASCII": lambda: "å.ä.ö",
    "a lone surrogate": lambda: "\udcff.a.b",
    "a header that is a list": lambda: f"{encoded([])}.e30.eHh4",
    "a header of nested lists": lambda: f"{encoded('[' * 3000)}.e30.eHh4",
    "a kid that is a list": lambda: f"{encoded({'alg': 'RS256', 'kid': ['k1']})}.e30.eHh4",
    "without a kid": lambda: f"{encoded({'alg': 'RS256'})}.e30.eHh4",
}


@pytest.mark.parametrize("make", FORGED.values(), ids=FORGED.keys())
def test_a_token_is_refused_that_is(verifier: TokenVerifier, make: Callable[[], str]) -> None:
    with pytest.raises(TokenRefused):
        verifier.verify(make())


@pytest.mark.parametrize(
    "wrong", [{"aud": "another-project"}, {"iss": "https://securetoken.google.com/another"}]
)
def test_a_firebase_token_of_another_project_is_refused(
    keys: KeyServer, wrong: dict[str, str]
) -> None:
    claims: dict[str, Any] = {"aud": PROJECT, "iss": FIREBASE, **wrong}
    with pytest.raises(TokenRefused):
        firebase_verifier(PROJECT, keys.url).verify(a_token(**claims))


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_a_token_of_another_algorithm_is_refused_even_where_the_key_names_it(
    keys: KeyServer, verifier: TokenVerifier, algorithm: str
) -> None:
    keys.body = keys.body.replace(b"RS256", algorithm.encode())
    token = jwt.encode(some_claims(), OUR_KEY, algorithm=algorithm, headers={"kid": "k1"})
    with pytest.raises(TokenRefused):
        verifier.verify(token)


def test_a_refusal_never_holds_the_token(verifier: TokenVerifier) -> None:
    with pytest.raises(TokenRefused) as caught:
        verifier.verify("kanariefågel.b.c")
    assert "kanariefågel" not in str(caught.value)


# The key server


def test_keys_are_fetched_once_for_many_tokens(keys: KeyServer, verifier: TokenVerifier) -> None:
    for _ in range(20):
        verifier.verify(a_token())
    assert keys.fetches == 1


def test_no_keys_are_fetched_before_the_first_token(
    keys: KeyServer, verifier: TokenVerifier
) -> None:
    assert keys.fetches == 0


def test_unknown_kids_do_not_cause_a_fetch_each(keys: KeyServer, verifier: TokenVerifier) -> None:
    for number in range(20):
        with pytest.raises(TokenRefused):
            verifier.verify(a_token(OTHER_KEY, kid=f"unknown{number}"))
    assert keys.fetches == 1


def test_what_is_no_token_causes_no_fetch(keys: KeyServer, verifier: TokenVerifier) -> None:
    with pytest.raises(TokenRefused):
        verifier.verify("garbage")
    assert keys.fetches == 0


def test_known_keys_keep_working_while_the_key_server_is_down(
    keys: KeyServer, verifier: TokenVerifier
) -> None:
    verifier.verify(a_token())
    keys.status = 503
    assert verifier.verify(a_token())["email"] == PUSHER


@pytest.mark.parametrize("status", [302, 404, 500, 503])
def test_a_key_server_that_fails_refuses(
    keys: KeyServer, verifier: TokenVerifier, status: int
) -> None:
    keys.status = status
    with pytest.raises(TokenRefused):
        verifier.verify(a_token())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"keys": 5}',
        b'{"keys": []}',
        b'{"keys": [{"kty": "RSA", "kid": "k1", "n": 5, "e": "AQAB"}]}',
    ],
)
def test_a_key_server_that_answers_nonsense_refuses(
    keys: KeyServer, verifier: TokenVerifier, body: bytes
) -> None:
    keys.body = body
    with pytest.raises(TokenRefused):
        verifier.verify(a_token())


def test_a_key_server_that_is_down_refuses(keys: KeyServer) -> None:
    verifier = push_verifier(AUDIENCE, keys.url)
    keys.stop()
    with pytest.raises(TokenRefused):
        verifier.verify(a_token())


def test_a_key_server_that_resets_the_connection_refuses(resetting_url: str) -> None:
    with pytest.raises(TokenRefused):
        push_verifier(AUDIENCE, resetting_url).verify(a_token())


def test_a_key_server_that_is_away_is_not_asked_for_every_token_and_again_when_it_is_back(
    keys: KeyServer, time: FakeTime
) -> None:
    signing_keys = SigningKeys(keys.url, monotonic=time.monotonic)
    keys.status = 503
    for _ in range(20):
        with pytest.raises(NoKeysYet):
            signing_keys.get_signing_key_from_jwt(a_token())
    assert keys.fetches == 1
    keys.status = 200
    time.advance(5)
    assert signing_keys.get_signing_key_from_jwt(a_token()).key_id == "k1"
    assert keys.fetches == 2


def test_while_the_key_server_hangs_tokens_of_known_keys_wait_for_nobody(
    keys: KeyServer, time: FakeTime
) -> None:
    signing_keys = SigningKeys(keys.url, monotonic=time.monotonic)
    token = a_token()
    signing_keys.get_signing_key_from_jwt(token)
    signing_keys.cooldown_duration = 0  # as 30 s later
    asked, go_on = threading.Event(), threading.Event()

    def hang() -> Any:
        asked.set()
        go_on.wait(30)
        raise jwt.PyJWKClientConnectionError("told to")

    signing_keys.fetch_data = hang  # type: ignore[method-assign]
    refused: list[str] = []

    def ask_for_an_unknown_key() -> None:
        try:
            signing_keys.get_signing_key("unknown")
        except jwt.PyJWKClientError as error:
            refused.append(str(error))

    first = threading.Thread(target=ask_for_an_unknown_key)
    first.start()
    assert asked.wait(30)
    assert signing_keys.get_signing_key_from_jwt(token).key_id == "k1"
    ask_for_an_unknown_key()  # a second one does not queue up behind the first
    assert refused == ["another request is asking for it"]
    go_on.set()
    first.join(30)
    assert len(refused) == 2


def test_without_any_keys_a_user_is_told_to_try_again_and_not_to_sign_in(
    keys: KeyServer,
) -> None:
    keys.status = 503
    settings = Settings(auth="firebase", firebase_project_id=PROJECT, auth_jwks_url=keys.url)
    with pytest.raises(Problem) as caught:
        identity(settings)(f"Bearer {a_token()}")
    assert caught.value.status == 503
    assert caught.value.headers["Retry-After"] == "5"


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"keys": []}', b"null", b"<html>", b"\xff"])
def test_a_page_that_holds_no_keys_is_refused(
    keys: KeyServer, verifier: TokenVerifier, body: bytes
) -> None:
    keys.body = body
    with pytest.raises(TokenRefused):
        verifier.verify(a_token())


# The header


@pytest.mark.parametrize("header", ["Bearer abc", "bearer abc", "BEARER abc", "Bearer  abc "])
def test_the_token_is_taken_out_of_the_header(header: str) -> None:
    assert bearer_token(header) == "abc"


def test_a_token_of_4_kilobytes_is_looked_at_and_a_longer_one_is_not() -> None:
    longest = "a" * (LONGEST_TOKEN - len("Bearer "))
    assert bearer_token(f"Bearer {longest}") == longest
    with pytest.raises(TokenRefused, match="too long"):
        bearer_token(f"Bearer {longest}a")


@pytest.mark.parametrize("header", [None, "", "abc", "Bearer", "Bearer ", "Basic abc", "Bearerabc"])
def test_a_header_without_a_bearer_token_is_refused(header: str | None) -> None:
    with pytest.raises(TokenRefused):
        bearer_token(header)


# Who may push


def refusal(authorize: Callable[[str | None], object], header: str | None) -> Problem:
    with pytest.raises(Problem) as caught:
        authorize(header)
    return caught.value


def test_the_service_account_may_push(verifier: TokenVerifier) -> None:
    only_for(PUSHER, verifier)(f"Bearer {a_token()}")


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "somebody@evil.example"},
        {"email": PUSHER.upper()},
        {"email": None},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email_verified": 1},
    ],
)
def test_another_account_may_not_push(verifier: TokenVerifier, changes: dict[str, Any]) -> None:
    token = a_token(**changes)
    assert refusal(only_for(PUSHER, verifier), f"Bearer {token}").status == 403


@pytest.mark.parametrize("header", [None, "", "Bearer garbage", "Basic abc"])
def test_a_push_without_a_valid_token_is_a_401(verifier: TokenVerifier, header: str | None) -> None:
    problem = refusal(only_for(PUSHER, verifier), header)
    assert (problem.status, problem.headers) == (401, {"WWW-Authenticate": "Bearer"})


def test_push_auth_is_on_where_it_is_configured(keys: KeyServer) -> None:
    settings = Settings(push_audience=AUDIENCE, push_service_account=PUSHER, auth_jwks_url=keys.url)
    authorize = push_authorization(settings)
    authorize(f"Bearer {a_token()}")
    assert refusal(authorize, None).status == 401


def test_push_auth_is_off_where_it_is_not_configured() -> None:
    push_authorization(Settings())(None)


# Who uses the app


def firebase_settings(keys: KeyServer, **changes: Any) -> Settings:
    return Settings(**{"auth_jwks_url": keys.url, "firebase_project_id": PROJECT, **changes})


def a_users_token(**changes: Any) -> str:
    return f"Bearer {a_token(**{'aud': PROJECT, 'iss': FIREBASE, 'sub': 'anna', **changes})}"


def test_the_user_is_the_tokens_subject(keys: KeyServer) -> None:
    assert identity(firebase_settings(keys))(a_users_token()) == "anna"


def test_firebases_project_is_by_default_googles(keys: KeyServer) -> None:
    settings = firebase_settings(keys, firebase_project_id=None, google_cloud_project=PROJECT)
    assert identity(settings)(a_users_token()) == "anna"


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer garbage", "Basic abc", "Bearer"],
)
def test_a_user_without_a_valid_token_is_asked_to_sign_in(
    keys: KeyServer, header: str | None
) -> None:
    problem = refusal(identity(firebase_settings(keys)), header)
    assert (problem.status, problem.headers) == (401, {"WWW-Authenticate": "Bearer"})


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": AUDIENCE, "iss": GOOGLE},
        {"aud": "another-project"},
        {"iss": "https://securetoken.google.com/another-project"},
        {"exp": datetime(2020, 1, 1, tzinfo=timezone.utc)},
        {"sub": None},
        {"sub": ""},
        {"sub": "a" * 129},
        {"sub": "anna\ud800"},
        {"sub": "anna\n"},
        {"sub": "an\x00na"},
        {"sub": "anna\x7f"},
        {"auth_time": 4_102_444_800},  # in 2100
        {"auth_time": "yesterday"},
        {"auth_time": float("nan")},
    ],
)
def test_a_token_that_is_not_of_our_users_is_a_401(
    keys: KeyServer, changes: dict[str, Any]
) -> None:
    assert refusal(identity(firebase_settings(keys)), a_users_token(**changes)).status == 401


@pytest.mark.parametrize("seconds", [-3600, 20])
def test_who_signed_in_by_now_is_a_user(keys: KeyServer, seconds: float) -> None:
    signed_in = datetime.now(timezone.utc).timestamp() + seconds
    assert identity(firebase_settings(keys))(a_users_token(auth_time=signed_in)) == "anna"


def test_who_signs_in_later_than_the_leeway_is_no_user(keys: KeyServer, time: FakeTime) -> None:
    identify = identity(firebase_settings(keys), time.now)
    signed_in = time.now().timestamp() + LEEWAY_SECONDS
    assert identify(a_users_token(auth_time=signed_in)) == "anna"
    assert refusal(identify, a_users_token(auth_time=signed_in + 1)).status == 401


def test_a_subject_of_128_characters_is_a_user(keys: KeyServer) -> None:
    identify = signed_in_user(firebase_verifier(PROJECT, keys.url))
    assert identify(a_users_token(sub="a" * 128)) == "a" * 128


@pytest.mark.parametrize("header", [None, "Bearer garbage"])
def test_without_sign_in_everybody_is_the_local_user(header: str | None) -> None:
    assert identity(Settings(auth="none"))(header) == LOCAL_USER
