"""The worker: it answers activations. Deliveries, dead letters, the sweep and the board."""
