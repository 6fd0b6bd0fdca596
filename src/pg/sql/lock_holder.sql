-- Who holds an advisory lock of this database; %u: classid, objid, objsubid (1: a bigint key, 2: two ints).
SELECT l.pid, a.application_name, a.usename, pg_catalog.host(a.client_addr),
  pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %u AND l.objid = %u AND l.objsubid = %u
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
    WHERE d.datname = pg_catalog.current_database())
  AND l.pid <> pg_catalog.pg_backend_pid()
LIMIT 1
