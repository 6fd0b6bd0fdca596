-- Asked after the settings: SET ROLE changes the second and may change the third.
SELECT pg_catalog.current_database(), current_user, coalesce(pg_catalog.current_schema(), '')
