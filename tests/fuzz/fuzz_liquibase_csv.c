/* Any bytes as a CSV file: the first two are separator and quote. Records stay within their limits, lines go up, and writing the fields
 * down again with all of them quoted reads as the same fields. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "format/liquibase/sql/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
        if (!holds)
                abort();
}

static void write_record(Text *t, const CsvRecord *r)
{
        for (size_t i = 0; i < r->n; i++) {
                text_add(t, i ? ",\"" : "\"");
                for (const char *s = csv_field(r, i); *s; s++) {
                        if (*s == '"')
                                text_addc(t, '"');
                        text_addc(t, *s);
                }
                text_addc(t, '"');
        }
}

static void check_again(const CsvRecord *r)
{
        _cleanup_csv_record_ CsvRecord again = CSV_RECORD_INIT;
        _cleanup_text_ Text t = TEXT_INIT(1 << 24);
        Error err = { 0 };
        Csv c;

        write_record(&t, r);
        c = (Csv){ .text = text_str(&t),
                   .size = t.len,
                   .line = 1,
                   .separator = ",",
                   .quote = "\"",
                   .path = "again" };
        check(csv_next(&c, &again, &err) == 1 && again.n == r->n && c.at == c.size);
        for (size_t i = 0; i < r->n; i++)
                for (const char *a = csv_field(r, i), *b = csv_field(&again, i);; a++, b++) {
                        /* A carriage return within quotes becomes a line feed. */
                        while (*a == '\r' && a[1] == '\n')
                                a++;
                        check(*a == *b || (*a == '\r' && *b == '\n'));
                        if (!*a)
                                break;
                }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_csv_record_ CsvRecord record = CSV_RECORD_INIT;
        _cleanup_free_ char *text = NULL;
        char separator[2] = ",", quote[2] = "";
        unsigned long line = 0;
        Error err = { 0 };
        size_t fields = 0;
        Csv c;
        int r;

        if (size < 2 || !data[0] || memchr(data, 0, size))
                return 0;
        separator[0] = (char) data[0];
        quote[0] = (char) data[1];
        text = strndup((const char *) data + 2, size - 2);
        if (!text)
                return 0;
        c = (Csv){ .text = text,
                   .size = size - 2,
                   .line = 1,
                   .separator = separator,
                   .quote = quote,
                   .path = "fuzz" };
        while ((r = csv_next(&c, &record, &err)) > 0) {
                check(record.line > line || line == 0 || separator[0] == '\n' ||
                      separator[0] == '\r' || quote[0] == '\n' || quote[0] == '\r');
                check(record.n > 0 && record.n <= CSV_MAX_FIELDS);
                line = record.line;
                fields += record.n;
                check_again(&record);
        }
        check(fields <= size);
        check(r == 0 || (err.code == ERROR_CHANGELOG && *err.path && err.line > 0));
        return 0;
}
