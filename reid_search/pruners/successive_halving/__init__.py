"""Asynchronous successive halving (Li et al. 2020)."""
