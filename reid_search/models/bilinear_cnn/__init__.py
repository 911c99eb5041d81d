"""Bilinear CNN: products of the features of one or two networks (Lin et al., ICCV 2015)."""
