"""OSNets (Zhou et al. 2019)."""
