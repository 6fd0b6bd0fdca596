--liquibase formatted sql
- changeset a:b
---changeset a:b
--changeset a:b
-rollback x
--rollback changesetId:1 changesetAuthor:a changesetPath:x.sql
--ignoreLines:2
x
y
--precondition-view-exists view:"v"
