"""A data set of one's own: a table of images in one file."""
