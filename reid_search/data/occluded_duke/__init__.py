"""Occluded-Duke (Miao et al., ICCV 2019)."""
