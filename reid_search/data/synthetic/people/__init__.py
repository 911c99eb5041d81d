"""People: what they look like, who resembles whom, and their attributes."""
