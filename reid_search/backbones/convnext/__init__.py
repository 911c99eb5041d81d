"""ConvNeXts (Liu et al. 2022), as timm builds them."""
