"""Inception-V3 (Szegedy et al. 2016), as timm builds it."""
