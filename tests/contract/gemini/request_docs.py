"""docs/gemini/README.md shows the request that each SDK sends; compare it with what arrives.

python -m tests.contract.gemini.request_docs           fails when a request differs
python -m tests.contract.gemini.request_docs --write   writes them anew
"""

import json
import re
import sys
from typing import Any

from shared.domain.profile import Profile
from shared.settings import Settings
from tests import ROOT
from tests.fake_gemini import FakeGemini
from worker.gemini.port import StepRequest
from worker.wiring import build_sdk

DOCUMENT = ROOT / "docs" / "gemini" / "README.md"
EXAMPLE = re.compile(r"(<!-- (google-[a-z]+) -->\n+```json\n)(.*?)(```)", re.DOTALL)
MODEL = "gemini-3.8-flash"
REQUEST = StepRequest(
    mood=2, goal="komma igång", language="sv", profile=Profile(focus_area="vardag")
)
SECONDS = 20


def sent(sdk: str) -> Any:
    """The body of the request as JSON."""
    with FakeGemini() as gemini:
        settings = Settings.model_validate(
            {"gemini_sdk": sdk, "gemini_api_key": "k", "gemini_api_endpoint": gemini.url}
        )
        build_sdk(settings, MODEL).generate(REQUEST, seconds=SECONDS)
        return gemini.calls[0].body


def shown(document: str) -> dict[str, Any]:
    return {found[2]: json.loads(found[3]) for found in EXAMPLE.finditer(document)}


def rewritten(document: str) -> str:
    def anew(found: re.Match[str]) -> str:
        return f"{found[1]}{json.dumps(sent(found[2]), ensure_ascii=False, indent=2)}\n{found[4]}"

    return EXAMPLE.sub(anew, document)


def main() -> int:
    document = DOCUMENT.read_text(encoding="utf-8")
    if "--write" in sys.argv:
        DOCUMENT.write_text(rewritten(document), encoding="utf-8")
        return 0
    wrong = [sdk for sdk, body in shown(document).items() if body != sent(sdk)]
    sys.stdout.write("".join(f"{sdk} sends another request\n" for sdk in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
