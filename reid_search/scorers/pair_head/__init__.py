"""Scores from the head of a pair loss: verification networks, and the base model of SGGNN."""
