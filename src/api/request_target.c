#include "api/request_target.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"
#include "util/utf8.h"

static int hex(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c = (char) (c | 0x20);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. */
static int decode(char *s, bool plus_is_space, Error *err)
{
        char *out = s;

        for (const char *in = s; *in; in++) {
                char c = *in;

                if (c == '%') {
                        int high = hex(in[1]), low = high < 0 ? -1 : hex(in[2]);

                        if (low < 0)
                                return error_set(err, ERROR_BAD_REQUEST,
                                                 "the request's address has a %% without two "
                                                 "hexadecimal digits");
                        c = (char) (high * 16 + low);
                        in += 2;
                } else if (c == '+' && plus_is_space) {
                        c = ' ';
                }
                if ((unsigned char) c < 0x20 || c == 0x7f)
                        return error_set(err, ERROR_BAD_REQUEST,
                                         "the request's address has a control character");
                *out++ = c;
        }
        *out = '\0';
        if (utf8_valid_prefix(s, (size_t) (out - s)) != (size_t) (out - s))
                return error_set(err, ERROR_BAD_REQUEST,
                                 "the request's address is not valid UTF-8");
        return 0;
}

static int parse_path(RequestTarget *t, char *path, Error *err)
{
        char *save = path;
        int r;

        if (!*path)
                return 0;
        for (char *segment; (segment = strsep(&save, "/"));) {
                if (t->n_segments == REQUEST_TARGET_MAX_SEGMENTS)
                        return error_set(err, ERROR_NOT_FOUND,
                                         "there is nothing at an address this deep");
                r = decode(segment, false, err);
                if (r < 0)
                        return r;
                t->segments[t->n_segments++] = segment;
        }
        return 0;
}

static int parse_query(RequestTarget *t, char *query, Error *err)
{
        char *save = query;
        int r;

        for (char *pair; (pair = strsep(&save, "&"));) {
                char *value = pair, *name = strsep(&value, "=");

                if (!*pair && !value)
                        continue;
                if (t->n_parameters == REQUEST_TARGET_MAX_PARAMETERS)
                        return error_set(err, ERROR_BAD_REQUEST, "more than %d query parameters",
                                         REQUEST_TARGET_MAX_PARAMETERS);
                r = decode(name, true, err);
                if (r >= 0 && value)
                        r = decode(value, true, err);
                if (r < 0)
                        return r;
                if (request_target_get(t, name))
                        return error_set(err, ERROR_BAD_REQUEST,
                                         "query parameter \"%.64s\" is given twice", name);
                t->parameters[t->n_parameters].name = name;
                t->parameters[t->n_parameters++].value = value ? value : "";
        }
        return 0;
}

int request_target_parse(RequestTarget *ret, const char *raw, Error *err)
{
        _cleanup_(request_target_done) RequestTarget t = { 0 };
        char *query;
        int r;

        if (raw[0] != '/')
                return error_set(err, ERROR_BAD_REQUEST,
                                 "the request's address does not begin with \"/\"");
        t.text = strdup(raw);
        if (!t.text)
                return error_oom(err, "a request");
        query = strchr(t.text, '?');
        if (query)
                *query++ = '\0';
        r = parse_path(&t, t.text + 1, err);
        if (r >= 0 && query)
                r = parse_query(&t, query, err);
        if (r < 0)
                return r;
        *ret = t;
        t.text = NULL;
        return 0;
}

void request_target_done(RequestTarget *t)
{
        free(t->text);
        *t = (RequestTarget){ 0 };
}

const char *request_target_get(const RequestTarget *t, const char *parameter)
{
        for (size_t i = 0; i < t->n_parameters; i++)
                if (!strcmp(t->parameters[i].name, parameter))
                        return t->parameters[i].value;
        return NULL;
}

static void list_allowed(Error *err, const char *const *allowed)
{
        _cleanup_text_ Text names = TEXT_INIT(sizeof err->hint);

        for (size_t i = 0; allowed[i]; i++)
                text_printf(&names, "%s%s", i ? ", " : "", allowed[i]);
        error_hint(err, allowed[0] ? "known here: %s" : "none is known here%s", text_str(&names));
}

int request_target_allow(const RequestTarget *t, const char *const *allowed, Error *err)
{
        for (size_t i = 0; i < t->n_parameters; i++) {
                size_t k = 0;

                while (allowed[k] && strcmp(allowed[k], t->parameters[i].name))
                        k++;
                if (allowed[k])
                        continue;
                error_set_to(err, ERROR_BAD_REQUEST, "unknown query parameter \"%.64s\"",
                             t->parameters[i].name);
                list_allowed(err, allowed);
                return -ERROR_BAD_REQUEST;
        }
        return 0;
}
