/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events that nobody looks at leave the same state behind as those that are looked at.
 *
 * usage: state_pass_test [CAPTURE...]     with captures named, those and no others
 */
#include "engine/state/internal.h"
#include "scapfile/scapfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define CORPUS SOURCE_DIR "/../shared/corpus/"
#define OWN    SOURCE_DIR "/tests/captures/"
#define POINTS 100 /* of each capture, where the states are compared */

static const char *const known[] = {
    OWN "intrusion.scap",
    OWN "network.scap",
    OWN "sessions.scap",
    OWN "uring.scap",
    CORPUS "public/cat_write.scap",
    CORPUS "public/connect_localhost.scap",
    CORPUS "public/curl_google_comments.scap",
    CORPUS "public/sample.scap",
    CORPUS "public/single_ipv6_conn.scap",
    CORPUS "public/curl_google.scap",
    CORPUS "public/ping_sendto.scap",
    CORPUS "public/psp_run_as_user_0_container.scap",
    CORPUS "recorded/build.scap",
    CORPUS "recorded/busy.scap.zst",
    CORPUS "recorded/container.scap",
    CORPUS "recorded/intrusion.scap",
    CORPUS "recorded/network.scap",
    CORPUS "recorded/persist.scap",
};

static const char *const *captures = known;
static size_t captures_n = COUNT_OF(known);

static void assert_same(struct state *a, struct state *b)
{
	struct buf x = {0}, y = {0};

	if (!state_is_complete(a))
		return;
	state_settle(a, state_stats(a)->last_ts);
	state_settle(b, state_stats(b)->last_ts);
	assert_int_equal(state_save(a, &x, NULL), 0);
	assert_int_equal(state_save(b, &y, NULL), 0);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.p, y.p, x.len);
	buf_done(&x);
	buf_done(&y);
}

static uint64_t count(const char *path)
{
	struct sf_reader *reader;
	struct ev_item item;
	uint64_t n = 0;

	assert_int_equal(sf_reader_open(path, NULL, &reader, NULL), 0);
	while (ev_source_next(sf_reader_source(reader), &item, NULL) == 1)
		n += item.kind == EV_ITEM_EVENT;
	sf_reader_close(reader);
	return n;
}

/* What is known of an event that was passed is what a look says, too. */
static void assert_agree(const struct state_binding *passed, const struct state_binding *looked)
{
	assert_int_equal(passed->visible, looked->visible);
	assert_int_equal(!passed->thread, !looked->thread);
	if (passed->thread)
		assert_int_equal(passed->thread->tid, looked->thread->tid);
	assert_int_equal(!passed->fd, !looked->fd);
	if (passed->fd) {
		assert_int_equal(passed->fd->num, looked->fd->num);
		assert_int_equal(passed->fd->type, looked->fd->type);
	}
}

/* Every @nth event is looked at in both states. */
static void replay(const char *path, unsigned nth)
{
	uint64_t step = count(path) / POINTS + 1, n = 0;
	struct state *looked, *passed;
	struct sf_reader *reader;
	struct state_binding bind, passing;
	struct ev_item item;
	int rc;

	assert_int_equal(sf_reader_open(path, NULL, &reader, NULL), 0);
	assert_int_equal(state_new(NULL, &looked, NULL), 0);
	assert_int_equal(state_new(NULL, &passed, NULL), 0);
	while (ev_source_next(sf_reader_source(reader), &item, NULL) == 1) {
		bool event = item.kind == EV_ITEM_EVENT;

		rc = state_feed(looked, &item, &bind, NULL);
		if (event && nth && n % nth == 0)
			assert_int_equal(state_feed(passed, &item, &bind, NULL), rc);
		else
			assert_int_equal(state_pass(passed, &item, &passing, NULL), rc);
		if (event && rc > 0 && !(nth && n % nth == 0))
			assert_agree(&passing, &bind);
		n += event;
		if (event && n % step == 0)
			assert_same(looked, passed);
	}
	assert_same(looked, passed);
	state_free(looked);
	state_free(passed);
	sf_reader_close(reader);
}

static void nobody_looks_at_anything(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < captures_n; i++)
		if (access(captures[i], R_OK) == 0)
			replay(captures[i], 0);
		else
			print_message("%s is not here\n", captures[i]);
}

static void some_events_are_looked_at(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < captures_n; i++)
		if (access(captures[i], R_OK) == 0)
			replay(captures[i], 3);
}

/* --- passed where they lie in the file --- */

struct pair { /* of readers and states: of what is passed, and of what is looked at */
	struct sf_reader *reader, *items;
	struct state *passed, *looked;
	uint64_t events;
	uint64_t caught, caught_seen; /* of the events passed in this round, looked at already */
};

static bool looks_at_each(const void *arg, unsigned type)
{
	const unsigned *nth = arg;

	return *nth && type % *nth == 0;
}

static void assert_same_event(struct ev *a, struct ev *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->ts, b->ts);
	assert_int_equal(a->tid, b->tid);
	assert_int_equal(a->cpu, b->cpu);
	assert_int_equal(a->nparams, b->nparams);
	for (unsigned i = 0; i < a->nparams; i++) {
		struct ev_value x = ev_param(a, i), y = ev_param(b, i);

		assert_int_equal(x.n, y.n);
		assert_memory_equal(x.p, y.p, x.n);
	}
}

/* Look at one event that was passed. */
static void catch_one(struct pair *t, const struct state_passing *p, struct ev_item *item,
		      struct state_binding *bind)
{
	assert_int_equal(ev_source_next(sf_reader_source(t->items), item, NULL), 1);
	assert_int_equal(item->kind, EV_ITEM_EVENT);
	assert_true(item->offset < p->end);
	if (state_feed(t->looked, item, bind, NULL) > 0)
		t->caught_seen += (bind->visible || p->internal) && item->ev->ts >= p->from &&
				  item->ev->ts <= p->to;
	t->caught++;
}

/* Look at the events that were passed. */
static void catch_up(struct pair *t, const struct state_passing *p)
{
	struct state_binding bind;
	struct ev_item item;

	while (t->caught < p->passed)
		catch_one(t, p, &item, &bind);
	assert_int_equal(t->caught, p->passed);
	assert_int_equal(p->seen, t->caught_seen);
	t->events += p->passed;
	t->caught = t->caught_seen = 0;
}

struct showing { /* what @pair is shown by @passing */
	struct pair *pair;
	const struct state_passing *passing;
	uint64_t shown, refused;
};

/* What is shown is what a look at the same event says. */
static int compare_shown(void *arg, const struct state_binding *shown, struct error *err)
{
	struct showing *s = arg;
	struct state_binding looked;
	struct ev_item item;

	(void)err;
	do {
		catch_one(s->pair, s->passing, &item, &looked);
	} while (item.ev->num < shown->ev->num);
	assert_int_equal(item.ev->num, shown->ev->num);
	assert_int_equal(item.ev->offset, shown->ev->offset);
	assert_same_event(item.ev, shown->ev);
	assert_agree(shown, &looked);
	assert_int_equal(shown->errcode, looked.errcode);
	assert_int_equal(shown->fd_name_changed, looked.fd_name_changed);
	s->shown++;
	return 0;
}

static bool refuse_some(void *arg, unsigned type, struct state_thread *t)
{
	struct showing *s = arg;
	bool refuses = (type + (uint64_t)t->lastevent_ts) % 3 == 0;

	s->refused += refuses;
	return refuses;
}

static void take_both(struct pair *t, const struct ev_item *item)
{
	struct state_binding bind;
	struct ev_item other;

	assert_int_equal(ev_source_next(sf_reader_source(t->items), &other, NULL), 1);
	assert_int_equal(item->kind, other.kind);
	assert_int_equal(item->offset, other.offset);
	if (item->kind == EV_ITEM_EVENT)
		assert_same_event(item->ev, other.ev);
	assert_int_equal(state_feed(t->looked, &other, &bind, NULL),
			 state_feed(t->passed, item, &bind, NULL));
	t->events += item->kind == EV_ITEM_EVENT;
}

/* The readers are where they would be without passing, too. */
static void assert_same_place(const struct pair *t)
{
	struct buf x = {0}, y = {0};

	if (sf_reader_save(t->items, &x, NULL) == 0) {
		assert_int_equal(sf_reader_save(t->reader, &y, NULL), 0);
		assert_int_equal(x.len, y.len);
		assert_memory_equal(x.p, y.p, x.len);
	}
	buf_done(&x);
	buf_done(&y);
}

static void show_to(struct showing *s, struct state_passing *p)
{
	s->passing = p;
	p->show = compare_shown;
	p->refuses = refuse_some;
	p->arg = s;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		p->ways[type].asks = type % 2;
}

/*
 * Events of every @nth type are looked at, with @showing where they lie; limits of number, offset
 * and time come and go.
 */
static void pass_on(const char *path, unsigned nth, struct showing *showing)
{
	uint64_t step = count(path) / POINTS + 1, point = 0, rounds = 0;
	struct state_passing p;
	struct pair t = {0};
	struct ev_item item;

	assert_int_equal(sf_reader_open(path, NULL, &t.reader, NULL), 0);
	assert_int_equal(sf_reader_open(path, NULL, &t.items, NULL), 0);
	assert_int_equal(state_new(NULL, &t.looked, NULL), 0);
	assert_int_equal(state_new(NULL, &t.passed, NULL), 0);
	state_passing_init(&p, looks_at_each, &nth);
	p.reader = t.reader;
	if (showing) {
		showing->pair = &t;
		show_to(showing, &p);
	}
	for (;; rounds++) {
		uint64_t now = state_stats(t.passed)->last_ts;
		int rc;

		p.max = rounds % 3 ? step : rounds % 7;
		p.end = rounds % 5 ? UINT64_MAX : sf_reader_offset(t.reader) + 100 * (rounds % 64);
		p.from = rounds % 4 ? 0 : now + 1000000;
		p.to = rounds % 6 ? UINT64_MAX : now + 2000000 * (rounds % 2);
		p.internal = rounds % 8 == 0;
		rc = state_pass_on(t.passed, &p, &item, NULL);
		assert_true(p.passed <= p.max);
		catch_up(&t, &p);
		if (rc == 0)
			break;
		assert_int_equal(rc, 1);
		if (item.kind == EV_ITEM_EVENT)
			assert_true(p.passed == p.max || item.offset >= p.end ||
				    looks_at_each(&nth, item.ev->type));
		take_both(&t, &item);
		if (t.events - point < step)
			continue;
		point = t.events;
		assert_same(t.looked, t.passed);
		assert_same_place(&t);
	}
	assert_int_equal(ev_source_next(sf_reader_source(t.items), &item, NULL), 0);
	assert_same(t.looked, t.passed);
	assert_int_equal(sf_reader_stats(t.items)->blocks, sf_reader_stats(t.reader)->blocks);
	assert_int_equal(sf_reader_stats(t.items)->events, sf_reader_stats(t.reader)->events);
	assert_int_equal(sf_reader_stats(t.items)->gaps, sf_reader_stats(t.reader)->gaps);
	state_free(t.looked);
	state_free(t.passed);
	sf_reader_close(t.reader);
	sf_reader_close(t.items);
}

static void passing_where_events_lie_changes_nothing(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < captures_n; i++)
		if (access(captures[i], R_OK) == 0)
			for (unsigned nth = 0; nth <= 5; nth += 5)
				pass_on(captures[i], nth, NULL);
}

static void what_is_shown_where_it_lies_is_what_a_look_says(void **unused)
{
	struct showing s = {0};

	(void)unused;
	for (size_t i = 0; i < captures_n; i++)
		if (access(captures[i], R_OK) == 0)
			for (unsigned nth = 1; nth <= 5; nth += 4)
				pass_on(captures[i], nth, &s);
	assert_true(s.shown > 1000 && s.refused > 100);
}

static int fail_to_show(void *arg, const struct state_binding *bind, struct error *err)
{
	uint64_t *left = arg;

	(void)bind;
	return --*left ? 0 : error_set(err, ERR_IO, "no more");
}

static void passing_ends_with_the_event_that_cannot_be_shown(void **unused)
{
	static const unsigned each = 1;
	struct sf_reader *reader;
	struct state_passing p;
	struct error err = {0};
	struct ev_item item;
	struct state *st;
	uint64_t left = 3;
	int rc;

	(void)unused;
	assert_int_equal(sf_reader_open(captures[0], NULL, &reader, NULL), 0);
	assert_int_equal(state_new(NULL, &st, NULL), 0);
	state_passing_init(&p, looks_at_each, &each);
	p.reader = reader;
	p.max = UINT64_MAX;
	p.show = fail_to_show;
	p.arg = &left;
	while ((rc = state_pass_on(st, &p, &item, &err)) > 0) {
		struct state_binding bind;

		assert_true(state_feed(st, &item, &bind, NULL) >= 0);
	}
	assert_int_equal(rc, ERR_IO);
	assert_string_equal(err.msg, "no more");
	assert_int_equal(left, 0);
	assert_int_equal(state_stats(st)->events, sf_reader_stats(reader)->events);
	state_free(st);
	sf_reader_close(reader);
}

/* What an open said when it began is of no use after any other call has ended. */
static void an_enter_event_is_kept_until_an_exit_passes(void **unused)
{
	struct ev_synth *synth = ev_synth_new();
	struct ev_source *source = ev_synth_source(synth);
	struct state *st;
	struct state_binding bind;
	struct ev_item item;

	(void)unused;
	ev_synth_begin(synth, EV_GETUID_X, 1, 5);
	ev_synth_int(synth, 0);
	assert_int_equal(ev_synth_end(synth), 0);
	ev_synth_begin(synth, EV_OPEN_E, 2, 5);
	ev_synth_str(synth, "/etc/passwd");
	ev_synth_int(synth, 0);
	ev_synth_int(synth, 0);
	assert_int_equal(ev_synth_end(synth), 0);
	ev_synth_begin(synth, EV_GETUID_X, 3, 5);
	ev_synth_int(synth, 0);
	assert_int_equal(ev_synth_end(synth), 0);
	assert_int_equal(state_new(NULL, &st, NULL), 0);
	for (int i = 0; ev_source_next(source, &item, NULL) == 1; i++) {
		assert_int_equal(state_pass(st, &item, &bind, NULL), 1);
		assert_int_equal(state_find(st, 5)->stored != NULL, i == 1);
	}
	state_free(st);
	ev_source_close(source);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_looks_at_anything),
	    cmocka_unit_test(some_events_are_looked_at),
	    cmocka_unit_test(passing_where_events_lie_changes_nothing),
	    cmocka_unit_test(what_is_shown_where_it_lies_is_what_a_look_says),
	    cmocka_unit_test(passing_ends_with_the_event_that_cannot_be_shown),
	    cmocka_unit_test(an_enter_event_is_kept_until_an_exit_passes),
	};

	if (argc > 1) {
		captures = (const char *const *)argv + 1;
		captures_n = (size_t)argc - 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
