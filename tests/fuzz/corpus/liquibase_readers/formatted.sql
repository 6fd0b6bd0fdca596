-- liquibase formatted sql logicalFilePath:x.sql
--property name:a value:b context:"c d" dbms:postgresql global:false
--changeset "me: too":"1" runOnChange:true splitStatements:false endDelimiter:/ context:"a and b" labels:x,y
--comment: why
--validCheckSum: 9:0123456789abcdef0123456789abcdef
--preconditions onFail:MARK_RAN onError:HALT
--precondition-sql-check expectedResult:"0" SELECT count(*) FROM t
--precondition-table-exists table:t schema:s
create table t (id int);
--rollback drop table t;
--rollback not required
--changeset me:2
--ignoreLines:start
ignored
--ignoreLines:end
insert into t values (1);
/* liquibase rollback
delete from t;
*/
/
