#include "engine/findings.h"

#include <string.h>

#include "util/utf8.h"

static json_t *string_json(const char *s)
{
        char clean[2048];

        if (!s)
                return json_null();
        utf8_sanitize(clean, sizeof clean, s);
        return json_string(clean);
}

static json_t *row_json(const HistoryRow *row)
{
        json_t *j = json_pack(
                "{s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:b}", "rank", (json_int_t) row->rank,
                "version", string_json(row->version), "description", string_json(row->description),
                "type", string_json(row->type), "script", string_json(row->script), "checksum",
                string_json(row->checksum), "installed_by", string_json(row->installed_by),
                "installed_on", string_json(row->installed_on), "execution_ms",
                (json_int_t) row->execution_ms, "success", row->success);

        if (row->id) {
                (void) json_object_set_new(j, "id", string_json(row->id));
                (void) json_object_set_new(j, "author", string_json(row->author));
                (void) json_object_set_new(j, "deployment", string_json(row->deployment));
        }
        return j;
}

static json_t *entry_json(const Entry *e)
{
        const Migration *m = e->migration;
        const HistoryRow *row = e->row;
        json_t *j = json_pack(
                "{s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:b}", "version",
                string_json(m ? m->version : row->version), "description",
                string_json(m ? m->description : row->description), "file",
                string_json(m ? m->script : row->script), "state", entry_state_name(e->state),
                "kind", m ? json_string(migration_kind_name(m->kind)) : json_null(), "rank",
                row ? json_integer((json_int_t) row->rank) : json_null(), "installed_on",
                string_json(row ? row->installed_on : NULL), "can_undo", e->undo != NULL);

        if (m && m->kind == MIGRATION_CHANGESET)
                (void) json_object_set_new(j, "changeset", string_json(m->id));
        if (!m && row->id)
                (void) json_object_set_new(
                        j, "changeset",
                        json_sprintf("%s::%s::%s", row->script, row->id, row->author));
        if (e->reason)
                (void) json_object_set_new(j, "reason", string_json(e->reason));
        return j;
}

json_t *findings_status(const Conversation *c)
{
        json_t *entries = json_array();

        for (size_t i = 0; i < c->assessment->n_entries; i++)
                (void) json_array_append_new(entries, entry_json(&c->assessment->entries[i]));
        return json_pack("{s:s,s:o,s:o}", "database", c->db->name, "schema",
                         conversation_schema_json(c), "entries", entries);
}

json_t *findings_history(const Conversation *c)
{
        json_t *rows = json_array();

        for (size_t i = 0; i < c->history->n_rows; i++)
                (void) json_array_append_new(rows, row_json(&c->history->rows[i]));
        return json_pack("{s:s,s:b,s:o}", "database", c->db->name, "exists", c->history->exists,
                         "history", rows);
}

json_t *findings_validation(const Conversation *c)
{
        const Assessment *a = c->assessment;
        json_t *complaints = json_array(), *warnings = json_array();

        for (size_t i = 0; i < a->n_refusals; i++)
                (void) json_array_append_new(complaints, error_json(&a->refusals[i]));
        for (size_t i = 0; i < a->n_warnings; i++)
                (void) json_array_append_new(warnings, string_json(a->warnings[i]));
        return json_pack("{s:s,s:b,s:o,s:o}", "database", c->db->name, "valid", a->n_refusals == 0,
                         "complaints", complaints, "warnings", warnings);
}

json_t *findings_notes(const char *lines)
{
        json_t *changes = json_array();

        while (*lines) {
                size_t n = strcspn(lines, "\n");

                (void) json_array_append_new(changes, json_stringn(lines, n));
                lines += n + (lines[n] == '\n');
        }
        return json_pack("{s:o}", "changes", changes);
}
