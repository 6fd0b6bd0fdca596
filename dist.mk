## What is installed and shipped besides the program.
dist_man_MANS = docs/pgmigrated.8 docs/pgmigrated.conf.5

pgmigratedconfdir = $(sysconfdir)/pgmigrated
dist_pgmigratedconf_DATA = etc/pgmigrated.conf

dist_systemdsystemunit_DATA = systemd/pgmigrated.service
EXTRA_DIST += systemd/pgmigrated.sysusers

## Installed under the name that systemd-sysusers looks for.
sysusersdir = $(prefix)/lib/sysusers.d
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)'
	$(INSTALL_DATA) $(srcdir)/systemd/pgmigrated.sysusers '$(DESTDIR)$(sysusersdir)/pgmigrated.conf'
uninstall-local:
	rm -f '$(DESTDIR)$(sysusersdir)/pgmigrated.conf'

dist_doc_DATA = README.md CHANGELOG.md docs/architecture.md docs/configuration.md docs/drift.md docs/exit-codes-and-errors.md \
  docs/flyway.md docs/http-api.md docs/liquibase.md docs/locks.md docs/non-transactional.md docs/operations.md docs/service.md \
  docs/sql-scanner.md docs/tested-with.md docs/waking.md

examplesdir = $(docdir)/examples/migrations
dist_examples_DATA = migrations/README.md migrations/V1__create_customers.sql migrations/V2__create_orders.sql \
  migrations/V3__keep_updated_at.sql migrations/V4__seed_products.sql migrations/V5__index_orders_by_customer.sql \
  migrations/V6__collect_statistics.sql migrations/V6__collect_statistics.sql.conf migrations/V7__add_order_note.sql \
  migrations/U7__add_order_note.sql migrations/R__order_totals.sql migrations/afterMigrate.sql
liquibase_examplesdir = $(examplesdir)/liquibase
dist_liquibase_examples_DATA = migrations/liquibase/changelog.xml
liquibase_dbdir = $(liquibase_examplesdir)/db
dist_liquibase_db_DATA = migrations/liquibase/db/products.csv migrations/liquibase/db/products.yaml \
  migrations/liquibase/db/tables.xml

EXTRA_DIST += LICENSE CONTRIBUTING.md .clang-format .clang-tidy script tests/corpus tests/integration tests/interop \
  tests/interop_liquibase tests/lib tests/lint tests/tools
dist-hook:
	find '$(distdir)' -name __pycache__ -prune -exec rm -rf {} +
