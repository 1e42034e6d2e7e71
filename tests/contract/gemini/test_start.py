"""What a starting worker says of its Gemini."""

from structlog.testing import capture_logs

from local.run.banner import banner
from local.run.options import Options
from shared.settings import Settings
from tests import ROOT
from worker.wiring import build_gemini

OPTIONS = Options(port=1, worker_port=2, data_dir=ROOT, emulators=False)


def gemini_line(settings: Settings) -> str:
    lines = banner(OPTIONS, settings, backend="SQLite").splitlines()
    [line] = [line for line in lines if line.strip().startswith("gemini ")]
    return line


def test_the_log_says_what_the_other_sdk_adds() -> None:
    with capture_logs() as logs:
        build_gemini(Settings(gemini_api_key="k"))
    [said] = [line for line in logs if line["event"] == "gemini.sdk"]
    assert (said["log_level"], said["sdk"]) == ("info", "google-generativeai")
    assert "GEMINI_SDK=google-genai" in said["note"]


def test_the_banner_says_where_vertex_ai_computes() -> None:
    settings = Settings(
        google_genai_use_vertexai=True, google_cloud_project="ours", google_cloud_location="eu"
    )
    assert gemini_line(settings).endswith(" on Vertex AI, ours in eu")


def test_the_banner_says_that_there_is_no_key() -> None:
    assert "no GEMINI_API_KEY" in gemini_line(Settings())
