-- V6__collect_statistics.sql.conf says that this file runs statement by statement, outside a transaction.
ANALYZE customers;
ANALYZE products;
