"""The head of a pair loss as the scorer: verification networks, and the base model of SGGNN."""
