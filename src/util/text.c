#include "util/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

void text_done(Text *t)
{
        free(t->s);
        *t = TEXT_INIT(t->ceiling);
}

void text_clear(Text *t)
{
        t->len = 0;
        t->bad = false;
        if (t->s)
                t->s[0] = '\0';
}

static bool reserve(Text *t, size_t more)
{
        size_t need, size;
        char *s;

        if (t->bad || __builtin_add_overflow(t->len, more, &need) || need > t->ceiling) {
                t->bad = true;
                return false;
        }
        if (need < t->size)
                return true;
        size = t->size ? t->size : 64;
        while (size <= need)
                size *= 2;
        s = realloc(t->s, size);
        if (!s) {
                t->bad = true;
                return false;
        }
        t->s = s;
        t->size = size;
        return true;
}

void text_append(Text *t, const void *bytes, size_t len)
{
        if (!reserve(t, len))
                return;
        if (len)
                memcpy(t->s + t->len, bytes, len);
        t->len += len;
        t->s[t->len] = '\0';
}

void text_add(Text *t, const char *s)
{
        text_append(t, s, strlen(s));
}

void text_addc(Text *t, char c)
{
        text_append(t, &c, 1);
}

void text_printf(Text *t, const char *fmt, ...)
{
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        if (n < 0 || !reserve(t, (size_t) n)) {
                t->bad = true;
                return;
        }
        va_start(ap, fmt);
        (void) vsnprintf(t->s + t->len, (size_t) n + 1, fmt, ap);
        va_end(ap);
        t->len += (size_t) n;
}

const char *text_str(const Text *t)
{
        return t->s ? t->s : "";
}

char *text_take(Text *t)
{
        char *s = t->s;

        if (t->bad) {
                text_done(t);
                return NULL;
        }
        *t = TEXT_INIT(t->ceiling);
        return s ? s : strdup("");
}

static void add_doubled(Text *t, const char *s, const char *which)
{
        for (; *s; s++) {
                if (strchr(which, *s))
                        text_addc(t, *s);
                text_addc(t, *s);
        }
}

void text_add_sql_literal(Text *t, const char *s)
{
        text_add(t, strchr(s, '\\') ? "E'" : "'");
        add_doubled(t, s, "'\\");
        text_addc(t, '\'');
}

void text_add_sql_identifier(Text *t, const char *s)
{
        text_addc(t, '"');
        add_doubled(t, s, "\"");
        text_addc(t, '"');
}
