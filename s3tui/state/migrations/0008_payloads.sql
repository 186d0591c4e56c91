-- Batches of CSV files whose bytes travel with them, for workers that cannot reach the file.

ALTER TABLE batch ADD COLUMN payload BYTEA;
