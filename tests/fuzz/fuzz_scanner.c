/* Any bytes: the statements are in order, inside the text, lose nothing, and each is found again when it is
 * scanned alone. */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "pg/scanner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t skip_to(const char *text, size_t at, size_t end, const char *stop)
{
        while (at < end && !memchr(stop, text[at], strlen(stop)))
                at++;
        return at;
}

static size_t skip_comment(const char *text, size_t at, size_t end)
{
        unsigned depth = 0;

        do {
                assert(end - at >= 2);
                if (text[at] == '/' && text[at + 1] == '*')
                        depth++;
                else if (text[at] == '*' && text[at + 1] == '/')
                        depth--;
                else
                        at--;
                at += 2;
        } while (depth > 0);
        return at;
}

/* What is between two statements is none: blanks, comments, ';' and \restrict lines. */
static void assert_gap(const char *text, size_t at, size_t end)
{
        while (at < end) {
                if (memchr(" \t\r\n\f\v;", text[at], 7))
                        at++;
                else if (text[at] == '-')
                        at = skip_to(text, at, end, "\r\n");
                else if (text[at] == '/')
                        at = skip_comment(text, at, end);
                else {
                        assert(text[at] == '\\' && (text[at + 1] == 'r' || text[at + 1] == 'u'));
                        at = skip_to(text, at, end, "\n");
                }
        }
}

static void assert_inside(size_t start, size_t end, const Statement *st)
{
        assert(start == end || (start >= st->first && start < end && end <= st->end));
}

static void assert_statement(const char *text, size_t size, size_t before, const Statement *st)
{
        unsigned long line, column;

        assert(before <= st->start && st->start <= st->first && st->first < st->end);
        assert(st->end <= st->payload_start && st->payload_start <= st->payload_end);
        assert(st->payload_end <= st->next && st->next <= size);
        assert(st->payload_start == st->payload_end || st->kind == STATEMENT_COPY_IN);
        assert_gap(text, before, st->start);
        assert_gap(text, st->start, st->first);
        if (text[st->end - 1] != ';')
                assert_gap(text, st->end, size);
        assert_inside(st->object_start, st->object_end, st);
        assert_inside(st->other_start, st->other_end, st);
        scanner_position(text, size, st->first, &line, &column);
        assert(line == st->line && column >= 1);
        assert(statement_kind_name(st->kind));
        assert(!statement_is_nontx(st, 150000) || !st->is_ddl);
}

static void assert_found_again(const char *text, const Statement *st)
{
        Scanner s;
        Statement again;
        Error err;
        size_t len = st->end - st->start;

        if (len >= 3 && memcmp(text + st->start, "\xef\xbb\xbf", 3) == 0)
                return; /* in the middle it is a letter, here it would be a BOM */
        scanner_init(&s, text + st->start, len, "again");
        assert(scanner_next(&s, &again, &err) == 1);
        assert(again.start == 0 && again.end == len && again.kind == st->kind &&
               again.is_ddl == st->is_ddl);
        assert(scanner_next(&s, &again, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *) data;
        Scanner s;
        Error err;
        size_t before;
        int r;

        scanner_init(&s, text, size, "fuzz");
        for (;;) {
                Statement st;

                before = s.at;
                r = scanner_next(&s, &st, &err);
                if (r <= 0)
                        break;
                assert(s.at == st.next && s.at > before);
                assert_statement(text, size, before, &st);
                assert_found_again(text, &st);
        }
        if (r == 0)
                assert_gap(text, before, size);
        else
                assert(r == -ERROR_CHANGELOG && err.line >= 1 && err.column >= 1 && err.text[0]);
        return 0;
}
