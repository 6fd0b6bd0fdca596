#include <string.h>

#include "format/liquibase/model/loader.h"

static int join(const char **column, Loader *l, const char *text, const char *between, bool at_end,
                Error *err)
{
        Arena *a = &l->model->arena;

        if (!*column)
                *column = text;
        else if (at_end)
                *column = arena_printf(a, "%s%s%s", *column, between, text);
        else
                *column = arena_printf(a, "%s%s%s", text, between, *column);
        return *column ? 0 : error_oom(err, "contexts and labels");
}

int audience_add_contexts(const char **column, const char **reason, Loader *l, const char *text,
                          bool at_end, Error *err)
{
        char *trimmed = java_trimmed(&l->model->arena, text);
        int r;

        if (!trimmed)
                return 0;
        r = match_expression(trimmed, &l->model->properties.contexts, err);
        if (r < 0)
                return r;
        if (r == 0 && !*reason)
                *reason = "context";
        if (strpbrk(trimmed, ", "))
                trimmed = arena_printf(&l->model->arena, "(%s)", trimmed);
        return trimmed ? join(column, l, trimmed, " AND ", at_end, err)
                       : error_oom(err, "contexts");
}

int audience_add_labels(const char **column, const char **reason, Loader *l, const char *text,
                        bool at_end, Error *err)
{
        _cleanup_text_ Text list = TEXT_INIT(NODE_MAX_FILE);
        NameList names;
        char *joined;
        int r = name_list_parse(&names, &l->model->arena, text, err);

        if (r < 0 || names.n == 0)
                return r;
        r = match_expression(l->label_filter, &names, err);
        if (r < 0)
                return r;
        if (r == 0 && !*reason)
                *reason = "label";
        for (size_t i = 0; i < names.n; i++) {
                if (i > 0)
                        text_addc(&list, ',');
                text_add(&list, names.names[i]);
        }
        joined = list.bad ? NULL : arena_strdup(&l->model->arena, text_str(&list));
        return joined ? join(column, l, joined, ",", at_end, err) : error_oom(err, "labels");
}
