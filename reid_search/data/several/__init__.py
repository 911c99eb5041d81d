"""Several data sets: trained on together, tested on one by one."""
