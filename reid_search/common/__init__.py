"""What sibling rooms must agree on: labels, arrays of features and distances, Gaussians on a grid."""
