"""What the peers share: Gemini's SDK with the same request as ours, and waitress before Flask."""

import os
from typing import Any

import google.generativeai as genai
from flask import Flask
from google.generativeai.client import get_default_generative_client
from requests.adapters import HTTPAdapter
from waitress import serve

SLOTS = int(os.environ.get("SLOTS", "64"))
WEB_THREADS = 16
MAX_CONNECTIONS = 1000
SECONDS = 20.0
"""As GEMINI_TIMEOUT_SECONDS."""

SYSTEM = "You are a kind coach. Answer with one small, concrete step as JSON. " * 20
"""About as long as our own instruction (worker/gemini/prompts)."""

TEXTS = (
    *("title", "description", "activation_type", "category_id", "prompt", "log_type"),
    *("prerequisite", "introduction_message", "preparation_message"),
)
FLAGS = ("ai_assessment", "coach_approval_required", "net_enabled")
FIELDS: dict[str, dict[str, Any]] = {
    **{name: {"type": "STRING"} for name in TEXTS},
    **{name: {"type": "BOOLEAN"} for name in FLAGS},
    "duration": {"type": "INTEGER"},
    "repetitions": {"type": "INTEGER"},
    "questions": {"type": "ARRAY", "items": {"type": "STRING"}},
}


class Gemini:
    """Build it once: the SDK's configuration is global to the process."""

    def __init__(self) -> None:
        endpoint = {"api_endpoint": os.environ["GEMINI_URL"]}
        genai.configure(api_key="fake", transport="rest", client_options=endpoint)
        # Of requests' ten connections a slot would rarely get one: as good as ours, no worse.
        pool = HTTPAdapter(pool_maxsize=SLOTS)
        transport = get_default_generative_client().transport
        transport._session.mount("http://", pool)  # noqa: SLF001
        self._model = genai.GenerativeModel(
            "gemini-flash-latest",
            system_instruction=SYSTEM,
            generation_config=genai.GenerationConfig(
                response_mime_type="application/json",
                response_schema={"type": "OBJECT", "properties": FIELDS, "required": list(FIELDS)},
            ),
        )

    def step(self, mood: int, goal: str) -> str:
        """JSON."""
        options = {"timeout": SECONDS, "retry": None}
        asked = f"Mood (1 to 5): {mood}. Goal: {goal}"
        return str(self._model.generate_content(asked, request_options=options).text)


def serve_on_loopback(app: Flask, port: int, threads: int = WEB_THREADS) -> None:
    serve(app, host="127.0.0.1", port=port, threads=threads, connection_limit=MAX_CONNECTIONS)
