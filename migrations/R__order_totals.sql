-- A repeatable migration: it runs after the versioned ones, and again whenever its text changes.
CREATE OR REPLACE VIEW order_totals AS
SELECT
        o.id,
        c.name AS customer,
        o.state,
        o.ordered_at,
        count(l.line_number) AS lines,
        coalesce(sum(l.quantity * l.price), 0) AS total
FROM orders o
JOIN customers c ON c.id = o.customer_id
LEFT JOIN order_lines l ON l.order_id = o.id
GROUP BY o.id, c.name;
