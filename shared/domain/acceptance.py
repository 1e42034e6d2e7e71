"""How an activation begins: what a request brings, queued, with its deadline."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.domain.activation import REPUBLISH_AFTER, Activation
from shared.domain.profile import Profile


def accepted(  # noqa: PLR0913 - keywords, one for each thing that a request brings
    *,
    activation_id: str,
    user_id: str,
    mood: int,
    goal: str,
    language: str,
    profile: Profile | None,
    fingerprint: str | None = None,
    creation_id: str | None = None,
    traceparent: str | None = None,
    now: datetime,
    time_to_answer: timedelta,
    time_to_live: timedelta,
) -> Activation:
    """A new activation, queued. The durations are ACTIVATION_DEADLINE_SECONDS and _TTL_DAYS."""
    return Activation(
        activation_id=activation_id,
        user_id=user_id,
        mood=mood,
        goal=goal,
        language=language,
        profile=profile,
        fingerprint=fingerprint,
        creation_id=creation_id,
        traceparent=traceparent,
        created_at=now,
        updated_at=now,
        deadline=now + time_to_answer,
        expires_at=now + time_to_live,
        due_at=min(now + REPUBLISH_AFTER, now + time_to_answer),
    )
