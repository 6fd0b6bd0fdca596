#include "format/liquibase/sql/sql_form.h"

const char *sql_attribute_of(const Object *o, const char *name)
{
        const char *s = o ? object_text(o, name) : NULL;

        return s && *s ? s : NULL;
}

const char *sql_attribute(const Change *c, const char *name)
{
        return sql_attribute_of(&c->fields, name);
}

static void directive(Text *t, const SqlContext *x, char letter, const char *arg)
{
        const char *s = arg ? arg : "";

        if (letter == 'N')
                sql_name(t, x, s);
        else if (letter == 'C')
                sql_columns(t, x, s);
        else if (letter == 'L')
                sql_literal(t, s);
        else
                text_add(t, s);
}

static void form(Text *t, const SqlContext *x, const char *f, va_list ap)
{
        for (; *f; f++) {
                if (*f != '%') {
                        text_addc(t, *f);
                        continue;
                }
                f++;
                if (*f == 'T') {
                        const char *schema = va_arg(ap, const char *);
                        const char *name = va_arg(ap, const char *);

                        sql_qualified(t, x, schema, name ? name : "");
                } else {
                        directive(t, x, *f, va_arg(ap, const char *));
                }
        }
}

void sql_form(Text *t, const SqlContext *x, const char *f, ...)
{
        va_list ap;

        va_start(ap, f);
        form(t, x, f, ap);
        va_end(ap);
}

int sql_emit(SqlList *out, const Change *c, const SqlContext *x, Error *err, const char *f, ...)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);
        va_list ap;

        va_start(ap, f);
        form(&t, x, f, ap);
        va_end(ap);
        return sql_add(out, c, &t, err);
}
