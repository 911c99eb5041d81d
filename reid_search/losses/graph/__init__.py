"""Graph over pairs of images, SGGNN (Shen et al. 2018)."""
