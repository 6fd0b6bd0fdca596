/* Any text: as an expression, a list, a path, a file of properties and a text with properties it is read within bounds, or
 * refused with an error that says why. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "format/liquibase/model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_match(Arena *a, const char *text)
{
        NameList none = { 0 }, names;
        char unknown[40];
        Error err = { 0 };

        if (name_list_parse(&names, a, text, &err) < 0)
                assert(err.code == ERROR_CHANGELOG);
        else
                (void) match_expression("a and (b or !c)", &names, &err);
        err = (Error){ 0 };
        if (match_expression(text, &none, &err) < 0)
                assert(err.code == ERROR_CHANGELOG && *err.text);
        if (match_dbms(text))
                assert(strlen(match_unknown_dbms(text, unknown, sizeof unknown)) < sizeof unknown);
}

/* Normalising twice is the same as once. */
static void check_path(Arena *a, const char *text)
{
        const char *once = path_normalise(a, text), *twice;

        assert(once);
        assert(*once != '/' && !strchr(once, '\\') && !strstr(once, "//"));
        twice = path_normalise(a, once);
        assert(twice && (strcmp(once, twice) == 0 || strchr(once, ':')));
}

static void check_properties(Arena *a, const char *text, size_t size)
{
        Properties *all = arena_alloc(a, sizeof *all);
        const char *out = NULL;
        Error err = { 0 };

        assert(all);
        all->arena = a;
        if (property_add_file(all, text, size, (Property){ 0 }, "x.properties", &err) < 0)
                assert(err.code == ERROR_CHANGELOG && err.line > 0);
        err = (Error){ 0 };
        if (property_expand(&out, all, text, "x.xml", &err) < 0)
                assert(err.code == ERROR_CHANGELOG && *err.text);
        else
                assert(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_arena_ Arena a = ARENA_INIT((size_t) 512 << 20);
        char *text = arena_strndup(&a, (const char *) data, size);

        assert(text);
        check_match(&a, text);
        check_path(&a, text);
        check_properties(&a, text, strlen(text));
        return 0;
}
