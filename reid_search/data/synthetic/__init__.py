"""Synthetic pedestrians: layered puppets in front of six cameras, as JPEG files in the layout of Market-1501."""
