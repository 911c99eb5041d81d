"""GoogLeNet without batch norm (Szegedy et al. 2015), as Caffe has it."""
