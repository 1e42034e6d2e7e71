"""One adapter a SDK, and what an answer of Gemini means to both."""
