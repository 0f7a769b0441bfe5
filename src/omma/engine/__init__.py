"""Runs a model: many requests, one loop, a token for each at every step."""
