"""One adapter for each SDK, and what both share: reading an answer, translating an error."""
