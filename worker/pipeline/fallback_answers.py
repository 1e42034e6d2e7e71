"""Answers without Gemini: help in a crisis comes first, then a step from our library."""

from dataclasses import dataclass

from shared.domain.activation import Activation, Answer, FallbackReason
from worker.fallback import FallbackLibrary
from worker.safety import caring_step, signals_self_harm


@dataclass(frozen=True)
class FallbackAnswers:
    library: FallbackLibrary

    def in_crisis(self, activation: Activation) -> Answer | None:
        """The caring step where the goal or the profile signals self-harm, else None."""
        signals = signals_self_harm(activation.goal, activation.profile)
        return self.with_care(activation) if signals else None

    def with_care(self, activation: Activation) -> Answer:
        return Answer(step=caring_step(activation.language), source="safety")

    def instead_of_gemini(self, activation: Activation, reason: FallbackReason) -> Answer:
        """The caring step in a crisis, else the library's."""
        caring = self.in_crisis(activation)
        if caring is not None:
            return caring
        step = self.library.step_for(
            activation.activation_id,
            mood=activation.mood,
            goal=activation.goal,
            language=activation.language,
        )
        return Answer(step=step, source="fallback", fallback_reason=reason)
