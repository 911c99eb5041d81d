"""The graph of SGGNN as re-scorer of each query's nearest images (Shen et al. 2018)."""
