-- Data lines follow the statement, up to a line with \. alone.
COPY products (sku, name, price) FROM stdin;
BOLT-M6	Bolt, M6 x 30	0.12
NUT-M6	Nut, M6	0.05
WASHER-M6	Washer, M6; zinc	0.02
BRACKET-L	Bracket, "L", 60 mm	1.40
\.

INSERT INTO customers (email, name) VALUES
        ('ada@example.org', 'Ada'),
        ('grace@example.org', 'Grace');
