"""The life of an activation, tried by Hypothesis: random steps of several processes at once."""
