"""Circle loss on pairs (Sun et al. 2020)."""
