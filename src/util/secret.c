#include "util/secret.h"

#include <string.h>

#include "util/file.h"

#define SECRET_FILE_MAX ((size_t) 64 * 1024)

struct Secret {
        size_t len;
        char value[]; /* terminated */
};

int secret_new(Secret **ret, const char *value, Error *err)
{
        size_t len = strlen(value);
        Secret *s = malloc(sizeof *s + len + 1);

        if (!s)
                return error_oom(err, "a secret");
        s->len = len;
        memcpy(s->value, value, len + 1);
        *ret = s;
        return 0;
}

DEFINE_CLEANUP(char *, secret_wipe_string)

int secret_read_file(Secret **ret, const char *path, Error *err)
{
        _cleanup_(secret_wipe_stringp) char *text = NULL;
        size_t line, len;
        int r = file_read_text(&text, path, SECRET_FILE_MAX, err);

        if (r < 0)
                return r;
        len = strlen(text);
        line = strcspn(text, "\n");
        if (line > 0 && line < len && text[line - 1] == '\r')
                line--;
        /* The whole buffer is wiped here: secret_wipe_string() sees only the first line from now on. */
        explicit_bzero(text + line, len - line);
        if (line == 0) {
                (void) error_set(err, ERROR_CONFIG, "%s: first line is empty", path);
                (void) error_at(err, path, 1, 0);
                return error_hint(err, "write the secret as the file's first line");
        }
        return secret_new(ret, text, err);
}

Secret *secret_free(Secret *s)
{
        if (s) {
                explicit_bzero(s->value, s->len);
                free(s);
        }
        return NULL;
}

const char *secret_reveal(const Secret *s)
{
        return s ? s->value : "";
}

/* The time tells the length only: this compares tokens that strangers send. */
bool secret_equal(const Secret *a, const Secret *b)
{
        unsigned char differ = 0;

        if (!a || !b)
                return a == b;
        if (a->len != b->len)
                return false;
        for (size_t i = 0; i < a->len; i++)
                differ = (unsigned char) (differ | (a->value[i] ^ b->value[i]));
        return differ == 0;
}

void secret_wipe_string(char *s)
{
        if (s) {
                explicit_bzero(s, strlen(s));
                free(s);
        }
}
