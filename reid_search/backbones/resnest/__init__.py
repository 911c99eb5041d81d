"""ResNeSts (Zhang et al. 2020), as timm builds them."""
