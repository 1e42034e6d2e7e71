"""Who sends the current request, and how often they may."""

from dataclasses import dataclass

from flask import request

from ingress.api.identity import Identify
from ingress.submit.limits import BurstLimit
from shared.http.problems import Problem

WRITING = frozenset({"POST", "DELETE"})


@dataclass(frozen=True, kw_only=True)
class Callers:
    """An address' bad tokens have a limit of their own: whoever tries tokens is refused after a
    while, and whoever has a good one behind the same address never is."""

    identify: Identify
    per_user: BurstLimit
    writes_per_address: BurstLimit
    bad_tokens_per_address: BurstLimit

    def user_id(self) -> str:
        """Raises Problem (401; 429 where the address sends too many bad tokens)."""
        try:
            return self.identify(request.headers.get("Authorization"))
        except Problem as problem:
            if problem.status == 401:
                self.bad_tokens_per_address.count(request.remote_addr or "")
            raise

    def counted(self) -> str:
        """The same for requests that write much, or read many. Raises Problem (401, 429)."""
        user_id = self.user_id()
        self.per_user.count(user_id)
        # Last, so that what a user is refused is not counted against others at their address.
        if request.method in WRITING:
            self.writes_per_address.count(request.remote_addr or "")
        return user_id
