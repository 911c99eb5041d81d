"""How somebody is seen: pose, box, surroundings, light, camera, and where keypoints fall."""
