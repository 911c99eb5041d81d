"""LTCC (Qian et al., ACCV 2020): people who change clothes."""
