"""The golden set, asked of a model: a scorecard to read before a model or a prompt is trusted."""
