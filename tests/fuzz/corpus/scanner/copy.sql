COPY s."T" (a, b) FROM stdin WITH (format csv); -- x
1,;'
\.
copy t from stdin;
1
\.
copy (select 1) to stdout;
