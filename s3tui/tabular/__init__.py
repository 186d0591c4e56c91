"""CSV: a file of any size as batches of rows, and every record accounted for."""
