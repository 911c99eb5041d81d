"""Identification: a classifier per tap and softmax cross-entropy."""
