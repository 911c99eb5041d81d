"""PRCC (Yang et al., TPAMI 2020): people who change clothes."""
