-- Cannot run in a transaction, so it has a file of its own; orders stays writable meanwhile.
CREATE INDEX CONCURRENTLY orders_customer_id_ordered_at_idx ON orders (customer_id, ordered_at DESC);
