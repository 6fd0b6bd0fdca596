"""The same changelog, in turns: whoever comes second finds nothing to do, and both leave the same."""
import re

import pytest

from harness import liquibase

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://www.liquibase.org/xml/ns/dbchangelog http://www.liquibase.org/xml/ns/dbchangelog/dbchangelog-4.28.xsd">
"""

# Each adds to the changelog; together they use most of what people use.
STEPS = [
    ("""<property name="kind" value="varchar(40)"/>
  <changeSet id="1" author="ann"><comment>people</comment>
    <createTable tableName="person" remarks="People we know">
      <column name="id" type="int" autoIncrement="true"><constraints primaryKey="true" nullable="false"/></column>
      <column name="name" type="${kind}"><constraints nullable="false" unique="true"/></column>
      <column name="born" type="datetime" defaultValueComputed="CURRENT_TIMESTAMP"/>
    </createTable></changeSet>""", {}),
    ("""<changeSet id="2" author="ann" labels="data"><insert tableName="person"><column name="name" value="O'Neill"/></insert>
    </changeSet><changeSet id="3" author="ann"><tagDatabase tag="v1"/></changeSet>""", {}),
    ("""<include file="sql/pets.sql" relativeToChangelogFile="true"/>""",
     {"sql/pets.sql": """--liquibase formatted sql
--changeset bob:1 runOnChange:true
--comment a function
CREATE OR REPLACE FUNCTION pets() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
--rollback DROP FUNCTION pets();
--changeset bob:2
CREATE TABLE pet (id int PRIMARY KEY, owner int REFERENCES person (id));
CREATE INDEX pet_owner ON pet (owner);
--rollback DROP TABLE pet;
"""}),
    ("""<changeSet id="4" author="ann"><preConditions onFail="MARK_RAN"><not><tableExists tableName="person"/></not></preConditions>
      <createTable tableName="never"><column name="id" type="int"/></createTable></changeSet>
  <changeSet id="5" author="ann"><addColumn tableName="person"><column name="mail" type="text"/></addColumn>
    <createIndex indexName="person_mail" tableName="person"><column name="mail"/></createIndex></changeSet>""", {}),
    ("""<includeAll path="more" relativeToChangelogFile="true"/>""",
     {"more/a.yaml": """databaseChangeLog:
  - changeSet:
      id: y1
      author: cat
      changes:
        - createView:
            viewName: names
            selectQuery: SELECT name FROM person
""", "more/b.json": """{"databaseChangeLog": [{"changeSet": {"id": "j1", "author": "dan", "runAlways": true, "changes": [
{"sql": {"sql": "UPDATE person SET born = born"}}]}}]}"""}),
]


def write(migrations, upto):
    text, files = "", {}
    for xml, more in STEPS[:upto]:
        text += "  " + xml + "\n"
        files.update(more)
    migrations.write({**files, "changelog.xml": HEAD + text + "</databaseChangeLog>\n"})


def nothing_left(theirs, ours, always=0):
    status = theirs.ok("status", "--verbose")
    found = re.search(r"(\d+) changesets? ha", status)
    assert (int(found[1]) if found else 0) == always, status
    theirs.ok("validate")
    plan = ours.ok("plan")
    assert plan.count("pending") <= 1 or always, plan


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_the_other_finds_nothing(first, theirs, ours, migrations, database):
    write(migrations, 4)
    if first == "ours":
        ours.ok("migrate")
    else:
        theirs.ok("update")
    before = liquibase.rows(database)
    nothing_left(theirs, ours)
    theirs.ok("update")
    ours.ok("migrate")
    assert liquibase.rows(database) == before


def test_in_turns_over_a_growing_changelog(theirs, ours, migrations, server, database):
    for n in range(1, len(STEPS) + 1):
        write(migrations, n)
        if n % 2:
            ours.ok("migrate")
        else:
            theirs.ok("update")
    other = server.create_database()
    theirs.database = other
    theirs.ok("update")
    mine, yours = liquibase.rows(database), liquibase.rows(other)
    for row in mine + yours:
        row.pop("orderexecuted")
        row.pop("exectype")  # runAlways: how often differs
    assert mine == yours
    assert liquibase.schema(server, database) == liquibase.schema(server, other)


def test_both_at_once(theirs, ours, migrations, database):
    """Each changeset is applied once, whoever comes first; nobody fails."""
    write(migrations, 1)
    theirs.ok("update")  # the tables are there: Liquibase cannot create them beside somebody else
    write(migrations, 4)
    theirs.start("update")
    done = ours("migrate")
    code, out, err = theirs.machine.answer()
    assert (done.code, code) == (0, 0), f"{done} {out}{err}"
    keys = [(r["filename"], r["id"], r["author"]) for r in liquibase.rows(database)]
    assert len(keys) == len(set(keys)) == 7
    assert database.value("SELECT locked FROM databasechangeloglock") is False


def test_their_lock_is_waited_for(theirs, ours, migrations, database):
    write(migrations, 1)
    theirs.ok("update")
    write(migrations, 2)
    database.query("UPDATE databasechangeloglock SET locked = true, lockedby = 'build7 (10.0.0.7)', lockgranted = now()")
    done = ours("migrate", migration_lock_timeout="1s")
    assert done.code == 4 and "build7 (10.0.0.7)" in done.err and "unlock" in done.err
    assert "build7" in ours.ok("unlock")
    ours.ok("migrate")
    nothing_left(theirs, ours)


def test_rollback_after_the_other(theirs, ours, migrations, database):
    write(migrations, 3)
    theirs.ok("update")
    ours.ok("undo", "--target", "v1")
    assert [r["id"] for r in liquibase.rows(database)] == ["1", "2"]
    ours.ok("migrate")
    theirs.ok("rollback", "--tag=v1")
    assert [r["id"] for r in liquibase.rows(database)] == ["1", "2"]
