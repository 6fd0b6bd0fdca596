-- What pgmigrated undo runs to take back version 7.
ALTER TABLE orders DROP COLUMN note;
