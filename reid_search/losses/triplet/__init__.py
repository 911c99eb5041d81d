"""Triplet loss with the hardest or all triplets of a batch (Hermans et al. 2017)."""
