"""Who sends the current request, and how often they may."""

from dataclasses import dataclass

from flask import request

from ingress.api.identity import Identify
from ingress.submit.limits import BurstLimit


@dataclass(frozen=True)
class Callers:
    identify: Identify
    per_user: BurstLimit

    def user_id(self) -> str:
        """Raises Problem (401)."""
        return self.identify(request.headers.get("Authorization"))

    def counted(self) -> str:
        """The same for requests that write, or read many. Raises Problem (401, 429)."""
        user_id = self.user_id()
        self.per_user.count(user_id)
        return user_id
