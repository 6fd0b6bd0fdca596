/* The SQL of changes with any attributes. Each line of the input is one, name=value; those after a line "-name=value" are of that
 * column, with + in front of its constraints. Whatever they are: names that are quoted stay names, and types stay short. */
#include <stdlib.h>
#include <string.h>

#include "format/liquibase/sql/change_sql.h"

#define MAX_FIELDS 64

static const ChangeSql changes[] = {
        change_sql_create_table,
        change_sql_drop_table,
        change_sql_rename_table,
        change_sql_add_column,
        change_sql_drop_column,
        change_sql_rename_column,
        change_sql_modify_data_type,
        change_sql_add_not_null_constraint,
        change_sql_drop_not_null_constraint,
        change_sql_add_default_value,
        change_sql_drop_default_value,
        change_sql_add_primary_key,
        change_sql_drop_primary_key,
        change_sql_add_foreign_key_constraint,
        change_sql_drop_foreign_key_constraint,
        change_sql_drop_all_foreign_key_constraints,
        change_sql_add_unique_constraint,
        change_sql_drop_unique_constraint,
        change_sql_create_index,
        change_sql_drop_index,
        change_sql_add_auto_increment,
        change_sql_set_table_remarks,
        change_sql_set_column_remarks,
        change_sql_add_lookup_table,
        change_sql_merge_columns,
        change_inverse_create_table,
        change_inverse_rename_table,
        change_inverse_add_column,
        change_inverse_rename_column,
        change_inverse_add_not_null_constraint,
        change_inverse_drop_not_null_constraint,
        change_inverse_add_default_value,
        change_inverse_add_primary_key,
        change_inverse_add_foreign_key_constraint,
        change_inverse_add_unique_constraint,
        change_inverse_create_index,
        change_inverse_add_lookup_table,
        change_sql_create_sequence,
        change_sql_alter_sequence,
        change_sql_drop_sequence,
        change_sql_rename_sequence,
        change_sql_create_view,
        change_sql_drop_view,
        change_sql_rename_view,
        change_sql_create_procedure,
        change_sql_drop_procedure,
        change_sql_insert,
        change_sql_update,
        change_sql_delete,
        change_sql_sql_file,
        change_sql_load_data,
        change_sql_load_update_data,
        change_sql_output,
        change_sql_stop,
        change_inverse_create_sequence,
        change_inverse_rename_sequence,
        change_inverse_create_view,
        change_inverse_rename_view,
        change_inverse_load_update_data,
};

typedef struct Made {
        Object object;
        Field fields[MAX_FIELDS];
} Made;

typedef struct Input {
        Arena arena;
        Made change, *column, *constraints;
        Object *columns[MAX_FIELDS];
        Field *list;
} Input;

static Field *add(Made *to, const char *name)
{
        Field *f = &to->fields[to->object.n_fields];

        to->object.fields = to->fields;
        if (to->object.n_fields < MAX_FIELDS - 2)
                to->object.n_fields++;
        *f = (Field){ .name = name, .kind = FIELD_TEXT };
        return f;
}

static Made *nest(Input *in)
{
        Made *m = arena_alloc(&in->arena, sizeof *m);

        if (!m)
                abort();
        m->object.fields = m->fields;
        return m;
}

static void add_line(Input *in, char *line)
{
        char *value = strchr(line, '=');
        Made *to = in->column ? in->column : &in->change;

        if (*line == '-' && in->list->n_items < MAX_FIELDS) {
                to = in->column = nest(in);
                in->constraints = NULL;
                in->columns[in->list->n_items++] = &to->object;
                line++;
        } else if (*line == '+' && in->column) {
                if (!in->constraints) {
                        Object **item = arena_alloc(&in->arena, sizeof(Object *));
                        Field *f = add(in->column, "constraints");

                        in->constraints = nest(in);
                        if (!item)
                                abort();
                        *item = &in->constraints->object;
                        f->kind = FIELD_OBJECT;
                        f->items = item;
                        f->n_items = 1;
                }
                to = in->constraints;
                line++;
        }
        if (value && value >= line) {
                *value = '\0';
                add(to, line)->text = value + 1;
        }
}

/* What is quoted ends where its quotes do. */
static void check_name(const SqlContext *x, const char *name)
{
        _cleanup_text_ Text t = TEXT_INIT(1 << 20);
        size_t quotes = 0;

        sql_name(&t, x, name);
        for (const char *p = text_str(&t); *p; p++)
                quotes += *p == '"';
        if (quotes % 2 != 0 || (quotes > 0 && t.s[t.len - 1] != '"'))
                abort();
}

static void check_type(const SqlContext *x, const char *text)
{
        SqlType type = { 0 };
        Error err = { 0 };

        if (sql_type(&type, x, text, false, &err) >= 0 && strlen(type.text) >= sizeof type.text)
                abort();
}

/* Where there are no files: those that attributes name are looked for, and not found. */
static char root[] = "/proc/self/fdinfo";
static const ChangelogFile file = { .path = "c.xml", .physical = "c.xml", .logical = "c.xml" };

static void run(Input *in, const SqlContext *x, ChangeSql sql)
{
        const ChangeSet set = { .id = "1", .author = "a", .path = "c.xml", .file = &file };
        const Change c = { .fields = in->change.object, .type = change_types, .set = &set };
        SqlList out = { .arena = &in->arena };
        Error err = { 0 };

        if (sql(&out, &c, x, &err) < 0 && !*err.text)
                abort();
        for (size_t i = 0; i < out.n; i++)
                if (strlen(out.items[i].sql) != out.items[i].len)
                        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        Input in = { .arena = ARENA_INIT((size_t) 64 << 20) };
        char *text = arena_strndup(&in.arena, (const char *) data, size), *line, *rest = text;
        static Model model = { .root = root };
        const SqlContext x = { .model = &model,
                               .default_schema = "public",
                               .server_version = size % 2 ? 150000 : 90600,
                               .quoting = (Quoting) (size % 3) };

        if (!text)
                abort();
        model.properties.arena = &in.arena;
        in.list = add(&in.change, "columns");
        in.list->kind = FIELD_LIST;
        in.list->items = in.columns;
        while ((line = strsep(&rest, "\n"))) {
                check_name(&x, line);
                check_type(&x, line);
                add_line(&in, line);
        }
        for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
                run(&in, &x, changes[i]);
        arena_done(&in.arena);
        return 0;
}
