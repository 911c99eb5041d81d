"""Heat maps: where each keypoint of the body is."""
