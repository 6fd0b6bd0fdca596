-- A versioned migration runs once, in one transaction together with its row in flyway_schema_history.
CREATE TABLE customers (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        email text NOT NULL UNIQUE CHECK (email LIKE '%_@_%'),
        name text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE customers IS 'People and firms that order';
