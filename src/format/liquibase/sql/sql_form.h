#pragma once
/* Statements from forms, so that the changes of names and places read as the SQL they become. */
#include "format/liquibase/sql/sql.h"

/* The longest statement of a change of structure. */
#define SQL_FORM_MAX ((size_t) 16 << 20)

/* Appends the form; its directives take arguments of type const char *, NULL being an empty name:
 * %T schema, name: qualified and escaped; %N name: escaped; %C names: "a, b", each escaped; %L text: 'literal'; %S text: as it is. */
void sql_form(Text *t, const SqlContext *x, const char *form, ...);
/* The same, as one statement of the change. */
int sql_emit(SqlList *out, const Change *c, const SqlContext *x, Error *err, const char *form, ...);
/* Attribute of the change; NULL: not there, or empty. */
const char *sql_attribute(const Change *c, const char *name);
/* The same of a column or constraint; o may be NULL. */
const char *sql_attribute_of(const Object *o, const char *name);
