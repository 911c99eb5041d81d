"""Statistics: pure functions of arrays, which know nothing of studies or trials."""
