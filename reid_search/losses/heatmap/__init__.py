"""Heat maps of the body's keypoints (Wei et al. 2016)."""
