"""Part-aligned bilinear representations: appearance times body parts (Suh et al., ECCV 2018)."""
