#pragma once
/* A changelog's folder with files in it, and a changeset there: for the SQL of changes that read files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/liquibase/sql/change_sql.h"
#include "liquibase_json.h"

typedef struct Folder {
        char root[64];
        Model model;
        ChangelogFile file;
        ChangeSet set;
        SqlContext context;
} Folder;

static void folder_write(const Folder *f, const char *name, const char *bytes, size_t size)
{
        char path[256];
        FILE *out;

        (void) snprintf(path, sizeof path, "%s/%s", f->root, name);
        out = fopen(path, "w");
        assert_non_null(out);
        assert_int_equal(fwrite(bytes, 1, size, out), size);
        assert_int_equal(fclose(out), 0);
}

static int folder_setup(void **state)
{
        Folder *f = calloc(1, sizeof *f);

        assert_non_null(f);
        (void) strcpy(f->root, "/tmp/liquibase-XXXXXX");
        assert_non_null(mkdtemp(f->root));
        f->model.root = f->root;
        f->model.arena = ARENA_INIT(64 << 20);
        f->model.properties.arena = &f->model.arena;
        f->file = (ChangelogFile){ .path = "c.xml", .physical = "c.xml", .logical = "c.xml" };
        f->set = (ChangeSet){ .id = "1", .author = "a", .path = "c.xml", .file = &f->file };
        f->context = (SqlContext){ .model = &f->model,
                                   .default_schema = "public",
                                   .server_version = 150000 };
        *state = f;
        return 0;
}

static int folder_teardown(void **state)
{
        Folder *f = *state;
        char command[128];

        (void) snprintf(command, sizeof command, "rm -r %s", f->root);
        arena_done(&f->model.arena);
        assert_int_equal(system(command), 0);
        free(f);
        return 0;
}

static Change folder_change(Folder *f, Arena *a, const char *type, const char *fields)
{
        Change c = json_change(a, fields);

        c.type = change_type_find(type);
        c.set = &f->set;
        assert_non_null(c.type);
        return c;
}

/* want: the statements, one a line; or "error: " and how its text begins. */
static void folder_check(Arena *a, const SqlList *list, int r, const Error *err, const char *want)
{
        _cleanup_text_ Text t = TEXT_INIT(1 << 20);

        if (r < 0) {
                const char *have = arena_printf(a, "error: %s", err->text);

                if (strncmp(want, "error: ", 7) != 0 || strncmp(have, want, strlen(want)) != 0)
                        assert_string_equal(have, want);
                return;
        }
        for (size_t i = 0; i < list->n; i++) {
                text_add(&t, i ? "\n" : "");
                text_append(&t, list->items[i].sql, list->items[i].len);
        }
        assert_string_equal(text_str(&t), want);
}
