"""VGG-16 (Simonyan & Zisserman 2015), the network of bilinear CNNs."""
