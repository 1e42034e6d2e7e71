"""What the newcomer sees when everything runs."""

from local.run.options import Options
from shared.settings import Settings


def announce(options: Options, settings: Settings, *, backend: str) -> None:
    print(banner(options, settings, backend=backend), flush=True)


def banner(options: Options, settings: Settings, *, backend: str) -> str:
    ingress = f"http://localhost:{options.port}"
    board = "   (its board: /board)" if settings.board else ""
    return f"""
  InnerJourney is running.  Ctrl-C stops it.

    page      {ingress}/app/
    ingress   {ingress}
    worker    http://localhost:{options.worker_port}{board}
    backend   {backend}
    gemini    {_gemini(settings)}

  Try it:

    curl -X POST "{ingress}/gemini/getActivation" \\
      -H "Content-Type: application/json" -d '{{"mood": 2, "goal": "komma igång"}}'
"""


def _gemini(settings: Settings) -> str:
    if settings.gemini_api_key is None and settings.gemini_api_key_secret is None:
        return "no GEMINI_API_KEY, so every answer comes from the fallback library"
    endpoint = f" at {settings.gemini_api_endpoint}" if settings.gemini_api_endpoint else ""
    return f"{', then '.join(settings.gemini_models)}{endpoint}"
