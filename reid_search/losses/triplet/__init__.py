"""Batch-hard triplet loss (Hermans et al. 2017)."""
