#pragma once
/* The text of an object that generic checksums are computed of. Facts: liquibase.md 4.3. */
#include "format/liquibase/model/model.h"

/* Appends name:[...]. version 9 leaves out what PARAM_UNSUMMED_9 says (type NULL: nothing). */
int serialize_object(Text *out, const char *name, const Object *o, const ChangeType *type,
                     int version, Error *err);
