"""VeRi-776 (Liu et al., ECCV 2016): vehicles."""
