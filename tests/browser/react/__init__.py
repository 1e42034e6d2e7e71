"""The React hook in a real build, in Chromium."""
