"""Verification: whether two images show the same person (Zheng et al. 2017)."""
