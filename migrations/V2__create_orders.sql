CREATE TYPE order_state AS ENUM ('open', 'paid', 'sent', 'cancelled');

CREATE TABLE products (
        sku text PRIMARY KEY,
        name text NOT NULL,
        price numeric(10, 2) NOT NULL CHECK (price >= 0)
);

CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer_id bigint NOT NULL REFERENCES customers (id),
        state order_state NOT NULL DEFAULT 'open',
        ordered_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE order_lines (
        order_id bigint NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
        line_number integer NOT NULL CHECK (line_number > 0),
        sku text NOT NULL REFERENCES products (sku),
        quantity integer NOT NULL CHECK (quantity > 0),
        price numeric(10, 2) NOT NULL,
        PRIMARY KEY (order_id, line_number)
);
