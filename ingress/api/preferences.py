"""The `Prefer` header (RFC 7240): what a client would like, never an error."""

from dataclasses import dataclass

from werkzeug.http import parse_list_header

LONGEST_WAIT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Preferences:
    respond_async: bool = False
    wait: float | None = None
    """Seconds, at most LONGEST_WAIT_SECONDS."""

    def applied(self, *, waited: bool) -> str | None:
        """The value of `Preference-Applied`; None where no preference was followed."""
        named = []
        if self.respond_async:
            named.append("respond-async")
        if waited and self.wait is not None:
            named.append(f"wait={self.wait:g}")
        return ", ".join(named) or None


def parse_preferences(headers: list[str]) -> Preferences:
    """From all `Prefer` headers of a request. Of a preference named twice the first one counts."""
    found: dict[str, str] = {}
    for preference in parse_list_header(", ".join(headers)):
        name, _, value = preference.partition(";")[0].partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"'))
    return Preferences(respond_async="respond-async" in found, wait=_seconds(found.get("wait", "")))


def _seconds(text: str) -> float | None:
    """A delay is a whole number of seconds; anything else is no preference."""
    if not (text.isascii() and text.isdigit()):
        return None
    return min(float(text[:10]), LONGEST_WAIT_SECONDS)
