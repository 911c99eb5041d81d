"""How a person is drawn: a skeleton in the image, clothes around it as polygons, and the masks of their parts."""
