"""The proof of ingest: a large file arrives complete and in order, whatever dies meanwhile, and each record once.

A part of it runs with the other tests. `make proof` runs all of it: a million rows on either database, thirty kills, three restarts
of PostgreSQL and of RabbitMQ. What dies when is drawn from a seed, and paced by what has landed.
"""
