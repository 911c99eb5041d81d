"""Swin transformers (Liu et al. 2021), as timm builds them."""
