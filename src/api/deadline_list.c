#include "api/deadline_list.h"

#include "api/timer.h"
#include "util/clock.h"

static Deadline *first(DeadlineList *l)
{
        return list_empty(&l->entries) ? NULL : list_entry(l->entries.next, Deadline, node);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata)
{
        DeadlineList *l = userdata;
        uint64_t now = clock_monotonic();
        Deadline *d;

        (void) usec;
        while ((d = first(l)) && d->when <= now) {
                deadline_clear(d);
                l->expired(d);
        }
        if (d)
                timer_arm(s, d->when);
        return 0;
}

int deadline_list_init(DeadlineList *l, sd_event *event, uint64_t timeout,
                       void (*expired)(Deadline *d), Error *err)
{
        list_init(&l->entries);
        l->timeout = timeout;
        l->expired = expired;
        return timer_new(&l->timer, event, on_timer, l, err);
}

void deadline_list_done(DeadlineList *l)
{
        l->timer = sd_event_source_disable_unref(l->timer);
}

void deadline_init(Deadline *d)
{
        list_init(&d->node);
}

void deadline_set(DeadlineList *l, Deadline *d)
{
        deadline_clear(d);
        d->when = clock_after(l->timeout);
        list_append(&l->entries, &d->node);
        timer_arm_lazily(l->timer, d->when);
}

void deadline_clear(Deadline *d)
{
        list_remove(&d->node);
}
