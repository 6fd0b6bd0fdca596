/* Any text: as a sidecar it parses or says in which line it does not; as a script, what its placeholders became
 * leads back to bytes of it. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "format/flyway/flyway.h"
#include "format/script_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *look_up(void *userdata, const char *name, size_t len)
{
        (void) userdata;
        return len == 0 ? NULL : *name == 'e' ? "" : *name == 'l' ? "a longer value ${x}" : "v";
}

static void check_script(const char *text, size_t size)
{
        ScriptText t = { 0 };
        char *copy = malloc(size + 1);
        size_t last = 0;
        Error err;

        if (!copy)
                return;
        memcpy(copy, text, size + 1);
        FileView file = { .data = copy, .size = size, .map = copy };
        if (script_text_start(&t, &file, &err) >= 0 &&
            script_text_replace(&t, "${", "}", look_up, NULL, "x.sql", &err) >= 0) {
                assert(t.data[t.size] == '\0');
                for (size_t i = 0; i <= t.size; i++) {
                        size_t at = script_text_origin(&t, i);

                        assert(at >= last && at <= size);
                        last = at;
                }
        }
        script_text_done(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = strndup((const char *) data, size);
        const FormatOptions o = { 0 };
        FlywayConf conf;
        Error err = { 0 };

        if (!text)
                return 0;
        if (flyway_conf_parse(&conf, text, &o, "x.sql.conf", &err) < 0)
                assert(err.code == ERROR_CHANGELOG && err.line > 0 && *err.text);
        check_script(text, strlen(text));
        free(text);
        return 0;
}
