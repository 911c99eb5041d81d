"""One global branch: the baseline that others are measured against."""
