"""Answer an activation: process one delivery, answer dead letters, sweep what is overdue."""
