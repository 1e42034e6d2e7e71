"""The production composition root of the worker, which `python -m worker` starts.

Always Firestore and Pub/Sub, against the emulators where their variables are set.
"""

from shared.google.adapters import google_adapters
from shared.http.server import EVERYWHERE, serve
from shared.start import begin
from shared.start_checks import check_worker
from worker.app import create_app
from worker.gemini.key import with_gemini_key
from worker.wiring import build_gemini


def main(host: str = EVERYWHERE) -> int:
    """Serve until SIGTERM. The exit code. Raises SettingsError."""
    settings, drain = begin("innerjourney-worker", check_worker)
    settings = with_gemini_key(settings)
    gemini = build_gemini(settings, drain.given_back)
    app = create_app(settings, *google_adapters(settings), gemini, drain=drain)
    return serve(app, settings, drain, host)
