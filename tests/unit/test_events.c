#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/events.h"
#include "torture.h"

static EventLog *new_log(unsigned capacity, uint64_t first)
{
        EventLog *l = NULL;
        Error err;

        assert_int_equal(event_log_new(&l, capacity, first, &err), 0);
        return l;
}

static void publish_number(EventLog *l, int n)
{
        json_t *data = json_pack("{s:i}", "n", n);

        event_log_publish(l, "notice", "", data);
        json_decref(data);
}

static void test_ring(void **state)
{
        static const struct {
                uint64_t ask, get; /* 0: none */
                bool lost;
        } cases[] = {
                { 0, 103, true },    { 99, 103, true },   { 102, 103, true }, { 103, 103, false },
                { 104, 104, false }, { 106, 106, false }, { 107, 0, false },  { 999, 0, false },
        };
        _cleanup_(event_log_freep) EventLog *l = new_log(4, 100);
        bool lost = true;

        (void) state;
        assert_int_equal(event_log_next_id(l), 100);
        assert_null(event_log_get(l, 50, &lost));
        assert_false(lost);
        for (int n = 0; n < 7; n++)
                publish_number(l, n);
        assert_int_equal(event_log_next_id(l), 107);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const Event *e = event_log_get(l, cases[i].ask, &lost);
                char data[32];

                assert_int_equal(lost, cases[i].lost);
                assert_int_equal(e ? e->id : 0, cases[i].get);
                if (!e)
                        continue;
                (void) snprintf(data, sizeof data, "{\"n\":%d}", (int) (e->id - 100));
                assert_string_equal(e->data, data);
        }
}

static void test_partly_filled(void **state)
{
        _cleanup_(event_log_freep) EventLog *l = new_log(0, 7), *big = new_log(100, 7);
        bool lost;

        (void) state;
        for (int n = 0; n < 2; n++) {
                publish_number(l, n);
                publish_number(big, n);
        }
        assert_int_equal(event_log_get(l, 7, &lost)->id, 8); /* a capacity of 0 keeps one */
        assert_true(lost);
        assert_int_equal(event_log_get(big, 7, &lost)->id, 7);
        assert_false(lost);
        assert_int_equal(event_log_get(big, 1, &lost)->id, 7); /* those of an earlier process */
        assert_true(lost);
}

static void test_fields(void **state)
{
        _cleanup_(event_log_freep) EventLog *l = new_log(4, 1);
        json_t *data = json_pack("{s:s}", "text", "two\nlines\x1b[0m");
        const Event *e;
        bool lost;

        (void) state;
        event_log_publish(l, "a type that is longer than there is room for", "01JD", data);
        json_decref(data);
        e = event_log_get(l, 1, &lost);
        assert_string_equal(e->data, "{\"text\":\"two\\nlines\\u001B[0m\"}");
        assert_string_equal(e->run, "01JD");
        assert_int_equal(strlen(e->type), sizeof e->type - 1);
        event_log_publish(l, "lock", NULL, NULL);
        e = event_log_get(l, 2, &lost);
        assert_string_equal(e->data, "{}");
        assert_string_equal(e->run, "");
        assert_string_equal(e->type, "lock");
}

/* n strings of len bytes each, in an object in an array. */
static json_t *make_big(size_t n, size_t len)
{
        json_t *list = json_array();

        for (size_t i = 0; i < n; i++) {
                char text[40000];

                for (size_t k = 0; k + 3 <= len; k += 3)
                        memcpy(text + k, "\xe2\x82\xac", 3);
                (void) json_array_append_new(list, json_pack("{s:s%}", "text", text, len / 3 * 3));
        }
        return json_pack("{s:s,s:o}", "kind", "kept", "list", list);
}

static void test_large(void **state)
{
        static const struct {
                size_t n, len;
                bool cut, kept; /* kept: not replaced as a whole */
        } cases[] = {
                { 1, 15000, false, true }, { 1, 39000, true, true },  { 100, 1200, true, true },
                { 150, 3000, true, true }, { 3000, 30, true, false },
        };
        _cleanup_(event_log_freep) EventLog *l = new_log(8, 0);
        bool lost;

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                json_t *data = make_big(cases[i].n, cases[i].len), *read, *before;
                const Event *e;

                before = json_deep_copy(data);
                event_log_publish(l, "statement", "r", data);
                assert_true(json_equal(data, before)); /* the caller's is not touched */
                e = event_log_get(l, i, &lost);
                assert_true(strlen(e->data) <= EVENT_DATA_MAX);
                read = json_loads(e->data, 0, NULL);
                assert_non_null(read); /* also: no half characters */
                assert_int_equal(json_is_true(json_object_get(read, "truncated")), cases[i].cut);
                assert_int_equal(json_object_get(read, "kind") != NULL, cases[i].kept);
                assert_int_equal(json_array_size(json_object_get(read, "list")),
                                 cases[i].kept ? cases[i].n : 0);
                json_decref(read);
                json_decref(before);
                json_decref(data);
        }
}

/* -- listeners -- */

typedef struct Ear {
        EventListener listener;
        EventLog *log;
        unsigned heard;
        struct Ear *removes, *adds;
        unsigned publishes;
} Ear;

static void hear(void *userdata)
{
        Ear *e = userdata;

        e->heard++;
        if (e->removes)
                event_listener_remove(&e->removes->listener);
        if (e->adds)
                event_log_listen(e->log, &e->adds->listener);
        if (e->publishes) {
                e->publishes--;
                publish_number(e->log, 0);
        }
}

/* Three ears listen, the second of which does something; then a second event tells who is left. */
static void test_listeners(void **state)
{
        enum { NOBODY = -1, FIRST, SECOND, THIRD, FOURTH };
        static const struct {
                int removes, adds;
                unsigned publishes;
                unsigned heard[4];
        } cases[] = {
                { NOBODY, NOBODY, 0, { 2, 2, 2, 0 } },
                { FIRST, NOBODY, 0, { 1, 2, 2, 0 } },
                { SECOND, NOBODY, 0, { 2, 1, 2, 0 } },
                { THIRD, NOBODY, 0, { 2, 2, 0, 0 } },
                { NOBODY, FOURTH, 0, { 2, 2, 2, 1 } },
                { NOBODY, FIRST, 0, { 2, 2, 2, 0 } }, /* again: once all the same */
                { SECOND, SECOND, 0, { 2, 2, 2, 0 } },
                { NOBODY, NOBODY, 1, { 3, 3, 2, 0 } }, /* the third's one call tells of both */
                { SECOND, NOBODY, 1, { 3, 1, 2, 0 } },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_(event_log_freep) EventLog *l = new_log(8, 0);
                Ear ears[4] = { 0 };

                for (size_t k = 0; k < 4; k++) {
                        ears[k].log = l;
                        ears[k].listener.cb = hear;
                        ears[k].listener.userdata = &ears[k];
                        if (k < 3)
                                event_log_listen(l, &ears[k].listener);
                }
                ears[1].removes = cases[i].removes < 0 ? NULL : &ears[cases[i].removes];
                ears[1].adds = cases[i].adds < 0 ? NULL : &ears[cases[i].adds];
                ears[1].publishes = cases[i].publishes;
                publish_number(l, 1);
                ears[1].removes = ears[1].adds = NULL;
                publish_number(l, 2);
                for (size_t k = 0; k < 4; k++)
                        assert_int_equal(ears[k].heard, cases[i].heard[k]);
                l = event_log_free(l);
                for (size_t k = 0; k < 4;
                     k++) /* fine after the log is gone, and when never added */
                        event_listener_remove(&ears[k].listener);
        }
}

/* A lack of memory costs the details of an event, not the event. */
static void test_torture(void **state)
{
        _cleanup_(event_log_freep) EventLog *l = NULL;
        json_t *data = json_pack("{s:s}", "key", "value");
        unsigned n = 0;
        bool lost;
        Error err;

        (void) state;
        json_set_alloc_funcs(malloc, free); /* this program's, which can fail */
        torture_fail_nth(1);
        assert_int_equal(event_log_new(&l, 4, 0, &err), -ERROR_OOM);
        torture_off();
        assert_null(l);
        l = new_log(2, 0);
        do {
                torture_fail_nth(n + 1);
                event_log_publish(l, "notice", "", n % 2 ? data : NULL);
                torture_off();
                assert_int_equal(event_log_get(l, n, &lost)->id, n);
                assert_non_null(event_log_get(l, n, &lost)->data);
        } while (++n < 20);
        assert_string_equal(event_log_get(l, 19, &lost)->data, "{\"key\":\"value\"}");
        json_decref(data);
        torture_fail_nth(1);
        event_log_publish(l, "notice", "", NULL);
        torture_off();
        assert_string_equal(event_log_get(l, 20, &lost)->data, "{\"truncated\":true}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ring),      cmocka_unit_test(test_partly_filled),
                cmocka_unit_test(test_fields),    cmocka_unit_test(test_large),
                cmocka_unit_test(test_listeners), cmocka_unit_test(test_torture),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
