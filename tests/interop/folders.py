"""Folders of migrations that both must treat alike.

prepare: SQL before anything; since: the first version of Flyway that can do it; theirs: options for Flyway alone."""
import collections

Folder = collections.namedtuple("Folder", "files options since prepare theirs repair", defaults=({}, (0,), "", {}, True))

LONG = "d" * 220
EVENTS = ("beforeMigrate", "beforeEachMigrate", "afterEachMigrate", "afterVersioned", "beforeRepeatables",
          "afterMigrateApplied", "afterMigrate", "beforeValidate", "afterValidate")
SESSION_LOCK = {"postgresql.transactional.lock": "no"}

FOLDERS = {
    "versions": Folder({
        "V10__ten.sql": "CREATE TABLE ten (x int);", "V9.sql": "CREATE TABLE nine (x int);",
        "V001_5__x__y_z.sql": "CREATE TABLE one (x int);", "V2.1.1__a.sql": "CREATE TABLE two (x int);",
        "V20260101120000__stamp.sql": "CREATE TABLE stamp (x int);",
        "V99999999999999999999999__big.sql": "CREATE TABLE big (x int);"}),
    "large letters": Folder({"V1__a.SQL": "CREATE TABLE one (x int);", "R__b.Sql": "SELECT 1;"}, since=(9,)),
    # Its own repair does not cut the description, and fails.
    "long names": Folder({f"V1__{LONG}.sql": "SELECT 1;"}, repair=False),
    "names": Folder({
        "V1.sql": "SELECT 1;", "V2__Grüße_aus_Łódź_😀.sql": "SELECT 2;", "V3__it's.sql": "SELECT 3;",
        "V4__a.b.sql": "SELECT 4;", "R__Ωmega.sql": "SELECT 5;", "R__a.sql": "SELECT 6;", "R__Z.sql": "SELECT 7;",
        "R__😀.sql": "SELECT 8;", "R__\uffee.sql": "SELECT 9;",
        "README.md": "none", "notes.txt": "none"}),
    "folders": Folder({
        "a/V1__one.sql": "CREATE TABLE a (x int);", "b/c/d/V2__two.sql": "CREATE TABLE b (x int);",
        "V3__three.sql": "CREATE TABLE c (x int);", ".git/V4__never.sql": "SELECT 1/0;",
        "z/R__v.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS x;"}),
    "repeatables": Folder({
        "V1__one.sql": "CREATE TABLE a (x int);", "R__b.sql": "CREATE OR REPLACE VIEW b AS SELECT * FROM a_view;",
        "R__a.sql": "CREATE OR REPLACE VIEW a_view AS SELECT x FROM a;", "R__.sql": "SELECT 1;"}),
    "statements": Folder({
        "V1__f.sql": "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $body$ BEGIN RETURN 'a;b'; END; $body$;\n"
                     "CREATE TABLE t (x text); /* ; /* nested ; */ */ -- ;\n"
                     "INSERT INTO t VALUES ('it''s; fine'), (E'a\\';b'), (f());",
        "V2__empty.sql": "", "V3__comment.sql": "-- nothing\n/* at all */\n"}),
    "atomic": Folder({
        "V1__atomic.sql": "CREATE FUNCTION g() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;"},
        since=(9,)),
    "copy": Folder({
        "V1__t.sql": "CREATE TABLE t (x int, y text);",
        "V2__copy.sql": "COPY t (x, y) FROM STDIN;\n1\ta;b\n2\t\\N\n\\.\nINSERT INTO t VALUES (3, 'c');\n"}),
    "placeholders": Folder({
        "V1__p.sql": "CREATE TABLE ${name} AS SELECT '${flyway:user}' AS u, '${flyway:defaultSchema}' AS s,"
                     " '${flyway:table}' AS t, '${flyway:filename}' AS f;",
        "V2__case.sql": "CREATE TABLE b AS SELECT '${NAME}'::text AS x;",
        "R__v.sql": "CREATE OR REPLACE VIEW v AS SELECT '${name}'::text AS x;"}, {"placeholder_name": "seen"}),
    "other marks": Folder({"V1__p.sql": "CREATE TABLE [[name]] AS SELECT '${left}'::text AS x;"},
                          {"placeholder_name": "seen", "placeholder_prefix": "[[", "placeholder_suffix": "]]"}),
    "no placeholders": Folder({"V1__p.sql": "CREATE TABLE a AS SELECT '${left}'::text AS x;",
                               "R__p.sql": "CREATE OR REPLACE VIEW v AS SELECT '${left}'::text AS x;"},
                              {"placeholder_replacement": "no"}),
    "sidecars": Folder({
        "V1__t.sql": "CREATE TABLE t (x int);",
        "V2__vacuum.sql": "SELECT 1;\nANALYZE t;\nSELECT 2;",
        "V2__vacuum.sql.conf": "# a comment\nexecuteInTransaction=false\n"}),
    "sidecars of placeholders": Folder({
        "V1__p.sql": "CREATE TABLE a AS SELECT '${left}'::text AS x;", "V1__p.sql.conf": "placeholderReplacement=false\n",
        "R__p.sql": "CREATE OR REPLACE VIEW v AS SELECT '${left}'::text AS x;",
        "R__p.sql.conf": "placeholderReplacement = FALSE"}, since=(11,)),
    "not in a transaction": Folder({
        "V1__t.sql": "CREATE TABLE t (x int);", "V2__vacuum.sql": "VACUUM t;",
        "V3__index.sql": "CREATE INDEX CONCURRENTLY t_x ON t (x);", "V4__more.sql": "ALTER TABLE t ADD y int;"},
        theirs=SESSION_LOCK, since=(9, 1)),
    "mixed": Folder({"V1__m.sql": "CREATE TABLE t (x int);\nVACUUM t;\n"}, {"mixed": "yes"}),
    "group": Folder({"V1__a.sql": "CREATE TABLE a (x int);", "V2__b.sql": "CREATE TABLE b (x int);",
                     "R__c.sql": "SELECT 1;"}, {"group": "yes"}),
    "callbacks": Folder({
        "V1__a.sql": "CREATE TABLE a (x int);", "V2__b.sql": "SELECT 1;", "R__c.sql": "SELECT 2;",
        **{f"{e}.sql": f"INSERT INTO log.seen (what) VALUES ('{e}');" for e in EVENTS},
        "afterMigrate__z.sql": "INSERT INTO log.seen (what) VALUES ('z');",
        "afterMigrate__b.sql": "INSERT INTO log.seen (what) VALUES ('b');"},
        prepare="CREATE SCHEMA log; CREATE TABLE log.seen (n serial, what text)", since=(10,)),
    "baseline script": Folder({
        "V1__a.sql": "SELECT 1/0;", "V2__b.sql": "SELECT 1/0;", "B2__base.sql": "CREATE TABLE base (x int);",
        "B1__old.sql": "SELECT 1/0;", "V3__c.sql": "ALTER TABLE base ADD y int;", "R__r.sql": "SELECT 1;"}, since=(10,)),
    "baseline on migrate": Folder(
        {"V1__a.sql": "SELECT 1/0;", "V2__b.sql": "ALTER TABLE old ADD y int;"},
        {"baseline_on_migrate": "yes", "baseline_version": "1.0", "baseline_description": "taken over"},
        prepare="CREATE TABLE old (x int)", since=(9,)),  # older ones name the user "null"
    "schemas": Folder(
        {"V1__a.sql": "CREATE TABLE a (x int);", "V2__b.sql": "CREATE TABLE \"Two\".b (x int);"},
        {"schemas": "one,Two,public"}),
    "default schema": Folder({"V1__a.sql": "CREATE TABLE ${flyway:defaultSchema}.a (x int); CREATE TABLE b (x int);"},
                             {"schemas": "one,two", "default_schema": "two"}, since=(9,)),
    "default schema besides": Folder({"V1__a.sql": "CREATE TABLE a (x int); CREATE TABLE one.b (x int);"},
                                     {"schemas": "one", "default_schema": "two"}, since=(9,)),
    "table": Folder({"V1__a.sql": "CREATE TABLE a (x int);"}, {"table": 'My own Tablé', "installed_by": "The Döner"}),
    "target": Folder({"V1__a.sql": "CREATE TABLE a (x int);", "V2__b.sql": "CREATE TABLE b (x int);",
                      "V3__c.sql": "SELECT 1/0;", "R__r.sql": "SELECT 1;"}, {"target": "2"}),
    "windows": Folder({"V1__a.sql": b"\xef\xbb\xbfCREATE TABLE a (x int);\r\nINSERT INTO a VALUES (1);\r\n",
                       "R__b.sql": b"\xef\xbb\xbfCREATE OR REPLACE VIEW v AS\r\nSELECT 1 AS x;\r\n"}),
}
