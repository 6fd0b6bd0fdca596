-- The body between $body$ and $body$ is one string: its semicolons end nothing.
CREATE FUNCTION set_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $body$
BEGIN
        IF NEW IS DISTINCT FROM OLD THEN
                NEW.updated_at := now();
        END IF;
        RETURN NEW;
END;
$body$;

CREATE TRIGGER orders_set_updated_at
        BEFORE UPDATE ON orders
        FOR EACH ROW EXECUTE FUNCTION set_updated_at();

DO $$
BEGIN
        RAISE NOTICE 'orders keep updated_at themselves from now on';
END
$$;
