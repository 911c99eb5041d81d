"""What numbers can say: pure functions of arrays, which know nothing of studies or trials."""
