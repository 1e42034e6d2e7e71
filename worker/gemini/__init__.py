"""The Gemini port, its adapters, and the one client around them."""
