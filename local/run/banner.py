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
    if not settings.asks_gemini:
        return "no GEMINI_API_KEY, so every answer comes from the fallback library"
    model = ", then ".join(settings.gemini_models)
    if settings.google_genai_use_vertexai:
        project, location = settings.google_cloud_project, settings.google_cloud_location
        model = f"{model} on Vertex AI, {project} in {location}"
    endpoint = f" at {settings.gemini_api_endpoint}" if settings.gemini_api_endpoint else ""
    return f"{model}{endpoint}"
