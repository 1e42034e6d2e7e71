"""Release deploy/firestore.rules through the Firebase Rules API; gcloud has no command for it.

Does nothing where these very rules are released already. Standard library only. The access token
comes on standard input, so that no list of processes shows it:

    gcloud auth print-access-token | python3 deploy/release_rules.py PROJECT DATABASE
"""

import json
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RULES = Path(__file__).with_name("firestore.rules")
API = "https://firebaserules.googleapis.com"
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class RulesApi:
    """One project's rulesets and releases (page: Firebase Security Rules, REST reference)."""

    project: str
    token: str
    url: str = API

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Raises urllib.error.HTTPError for every answer but 2xx."""
        request = urllib.request.Request(  # noqa: S310  # API above, or a test's loopback
            f"{self.url}/v1/{path}",
            method=method,
            data=json.dumps(body).encode() if body else None,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "X-Goog-User-Project": self.project,  # whose quota a person's token counts on
            },
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found

    def released(self, release: str) -> str | None:
        """The rules that are in force; None where there are none."""
        try:
            ruleset = self.ask("GET", release)["rulesetName"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise
        return str(self.ask("GET", ruleset)["source"]["files"][0]["content"])

    def release(self, release: str, rules: str) -> str:
        """What was done, as a line."""
        before = self.released(release)
        if before == rules:
            return f"{release} has these rules already"
        source = {"files": [{"name": RULES.name, "content": rules}]}
        ruleset = self.ask("POST", f"projects/{self.project}/rulesets", {"source": source})["name"]
        named = {"name": release, "rulesetName": ruleset}
        if before is None:
            self.ask("POST", f"projects/{self.project}/releases", named)
        else:
            self.ask("PATCH", release, {"release": named})
        return f"{release} is {ruleset}"


def _why(error: urllib.error.HTTPError) -> str:
    """Google's own sentence, where it sent one."""
    try:
        return str(json.load(error)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return ""


def main(project: str, database: str, *, token: str, url: str = API) -> int:
    name = "cloud.firestore" + ("" if database == "(default)" else f"/{database}")
    api = RulesApi(project, token, url)
    try:
        said = api.release(f"projects/{project}/releases/{name}", RULES.read_text(encoding="utf-8"))
    except urllib.error.HTTPError as error:
        print(f"the rules were not released: {error} {_why(error)}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"the rules were not released: {error}", file=sys.stderr)
        return 1
    print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], token=sys.stdin.read().strip()))
