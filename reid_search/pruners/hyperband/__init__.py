"""Hyperband (Li et al. 2018)."""
