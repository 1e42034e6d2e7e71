"""The Gemini port, its adapters, and the layers around a call: breaker, retries, repair."""
