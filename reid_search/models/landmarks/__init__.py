"""Local features from landmarks: pooling in boxes around keypoints, or under their heat maps."""
