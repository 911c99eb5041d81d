"""ResNets (He et al. 2016)."""
