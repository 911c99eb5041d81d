"""Local features by landmarks: boxes cut from keypoints, or pooling under heat maps of keypoints."""
