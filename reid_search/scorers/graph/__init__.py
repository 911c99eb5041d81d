"""The graph of SGGNN, re-scoring each query's nearest images (Shen et al. 2018)."""
