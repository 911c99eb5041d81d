"""What sibling rooms have to agree on: labels, arrays of features and distances, where a grid's cells lie."""
