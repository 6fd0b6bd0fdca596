-- What has to be known of a server before it may be used. The answer comes before the settings, so that a
-- server which is none of ours is named even when it refuses one of them.
SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery(),
  pg_catalog.current_setting('transaction_read_only'), pg_catalog.version();
