"""What clients see of an activation: the representation, and the first frontend's flat answer."""

from typing import Any

from shared.activation import Activation
from shared.step import Step

NOT_SHOWN = {"user_id", "mood", "goal", "language", "profile", "claim_id", "not_before", "due_at"}
SHOWN = set(Activation.model_fields) - NOT_SHOWN - {"expires_at"}


def representation(activation: Activation) -> dict[str, Any]:
    """The body of `/activations/{id}`; every key is always there."""
    self_link = f"/activations/{activation.activation_id}"
    return {
        **activation.model_dump(mode="json", include=SHOWN),
        "done": activation.done,
        "links": {"self": self_link, "cancel": f"{self_link}/cancel"},
    }


def flat_answer(activation: Activation, step: Step) -> dict[str, Any]:
    """ActivationResponse: the step's fifteen fields, `activation_id` and `source`, always all."""
    return {
        **step.model_dump(mode="json"),
        "activation_id": activation.activation_id,
        "source": activation.source,
    }
