"""The port to Gemini, the clients of it and the adapters, one a SDK."""
