"""Synthetic pedestrians: layered puppets before six cameras, written as JPEG files in the layout of Market-1501."""
