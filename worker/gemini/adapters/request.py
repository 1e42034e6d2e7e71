"""What both SDKs send beside the prompt (worker/gemini/prompt.py) and the model's thinking
(shared/gemini_models.py).

No `temperature`, `topP`, `topK` or `candidateCount`: Gemini deprecated them in July 2026, and
ignores or refuses them since 3.6.
"""

from typing import Any

from worker.gemini.prompt import MAX_OUTPUT_TOKENS, step_schema

GENERATION: dict[str, Any] = {
    "max_output_tokens": MAX_OUTPUT_TOKENS,
    "response_mime_type": "application/json",
    "response_schema": step_schema(),
}

SAFETY = {
    "HARM_CATEGORY_HARASSMENT": "BLOCK_ONLY_HIGH",
    "HARM_CATEGORY_HATE_SPEECH": "BLOCK_ONLY_HIGH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT": "BLOCK_ONLY_HIGH",
    "HARM_CATEGORY_DANGEROUS_CONTENT": "BLOCK_ONLY_HIGH",
}
"""docs/adr/0011 says why: people write here on bad days, and about what was done to them."""
