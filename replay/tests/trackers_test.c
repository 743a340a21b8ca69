/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trackers that were saved and restored know what those know that never were; and bytes that
 * nobody saved are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/archive.h"
#include "replay/facts.h"
#include "replay/trackers.h"

static const struct act_net_options all_sockets = {.unix_sockets = true};

struct followed { /* a capture, and what follows it */
	struct sf_reader *reader;
	struct state *state;
	struct run_trackers t;
	struct buf ended[400]; /* of each time it was saved */
	size_t saved;
	uint64_t events;
};

static void open_capture(struct followed *f, const char *name)
{
	struct error err = {0};
	char path[512];

	*f = (struct followed){0};
	snprintf(path, sizeof(path), "%s/tests/captures/%s.scap", SOURCE_DIR, name);
	if (sf_reader_open(path, NULL, &f->reader, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(state_new(NULL, &f->state, &err), 0);
	assert_int_equal(run_trackers_init(&f->t, f->state, &err), 0);
}

static void close_capture(struct followed *f)
{
	for (size_t i = 0; i < f->saved; i++)
		buf_done(&f->ended[i]);
	state_free(f->state);
	run_trackers_done(&f->t);
	sf_reader_close(f->reader);
}

/* Up to the next event, which is followed. Return: false at the end. */
static bool follow(struct followed *f)
{
	struct state_binding bind;
	struct ev_item item;
	struct error err;
	int rc;

	while (ev_source_next(sf_reader_source(f->reader), &item, &err) > 0) {
		if (item.kind != EV_ITEM_EVENT)
			run_trackers_item(&f->t, &item);
		rc = state_feed(f->state, &item, &bind, &err);
		assert_true(rc >= 0);
		if (rc == 0)
			continue;
		run_trackers_event(&f->t, f->state, &bind);
		f->events++;
		return true;
	}
	return false;
}

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (!a->len || memcmp(a->p, b->p, a->len) == 0);
}

/* What was saved gives the same bytes again, and takes the place of what it was saved from. */
static void replace_net(struct followed *f)
{
	struct buf live = {0}, again = {0}, none = {0};
	struct act_net *n;
	struct error err;

	assert_int_equal(act_net_save(f->t.net, f->state, &live, &f->ended[f->saved++], &err), 1);
	assert_int_equal(act_net_restore(&all_sockets, buf_view(&live), NULL, 0, &n, &err), 0);
	assert_int_equal(act_net_save(n, f->state, &again, &none, &err), 1);
	assert_true(same(&live, &again));
	assert_int_equal(none.len, 1); /* none is gone since */
	act_net_free(f->t.net);
	f->t.net = n;
	buf_done(&live);
	buf_done(&again);
	buf_done(&none);
}

static void replace_sessions(struct followed *f)
{
	struct buf all = {0}, again = {0};
	struct act_sessions *x;
	struct error err;

	assert_int_equal(act_sessions_save(f->t.sessions, &all, &err), 1);
	assert_int_equal(act_sessions_restore(NULL, all.p, all.len, &x, &err), 0);
	assert_int_equal(act_sessions_save(x, &again, &err), 1);
	assert_true(same(&all, &again));
	act_sessions_free(f->t.sessions);
	f->t.sessions = x;
	f->t.observers[1] = act_sessions_observer(x);
	buf_done(&all);
	buf_done(&again);
}

static void save_all(struct followed *f, struct buf *net, struct buf *sessions)
{
	struct buf gone = {0};
	struct error err;

	state_settle(f->state, UINT64_MAX);
	assert_int_equal(act_net_save(f->t.net, f->state, net, &gone, &err), 1);
	assert_int_equal(act_sessions_save(f->t.sessions, sessions, &err), 1);
	buf_done(&gone);
}

/* All records that ended, in the order of their numbers. */
static size_t conns_of(struct followed *f, uint64_t *digest)
{
	struct sv views[COUNT_OF(f->ended)];
	struct buf live = {0};
	const struct act_conn *c;
	struct act_net *n;
	struct error err;
	size_t count = 0;

	assert_int_equal(act_net_save(f->t.net, f->state, &live, &f->ended[f->saved++], &err), 1);
	for (size_t i = 0; i < f->saved; i++)
		views[i] = buf_view(&f->ended[i]);
	assert_int_equal(act_net_restore(&all_sockets, buf_view(&live), views, f->saved, &n, &err),
			 0);
	act_net_settle(n, f->state);
	*digest = 0;
	for (size_t at = 0; act_net_next(n, &at, &c); count++) {
		assert_int_equal(c->id, count + 1);
		*digest = *digest * 31 + c->bytes_in * 7 + c->bytes_out * 5 + c->end_ts + c->state +
			  c->first_evt + hash_bytes(c->path.p, c->path.n, 1) + c->attempts;
	}
	act_net_free(n);
	buf_done(&live);
	return count;
}

static void trackers_that_were_restored_know_the_same(void **state)
{
	static const char *const names[] = {"network", "sessions", "uring", "intrusion"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct buf net = {0}, net2 = {0}, sessions = {0}, sessions2 = {0};
		uint64_t digest, digest2, every = i == 3 ? 97 : 7;
		struct followed once, again;

		open_capture(&once, names[i]);
		while (follow(&once))
			;
		open_capture(&again, names[i]);
		while (follow(&again))
			if (again.events % every == 0 && state_is_complete(again.state)) {
				replace_net(&again);
				replace_sessions(&again);
			}
		assert_true(again.saved > 3);
		assert_int_equal(conns_of(&once, &digest), conns_of(&again, &digest2));
		assert_int_equal(digest, digest2);
		save_all(&once, &net, &sessions);
		save_all(&again, &net2, &sessions2);
		assert_true(same(&net, &net2));
		assert_true(same(&sessions, &sessions2));
		close_capture(&once);
		close_capture(&again);
		buf_done(&net);
		buf_done(&net2);
		buf_done(&sessions);
		buf_done(&sessions2);
	}
}

/* Cut anywhere, or with any byte another one: refused, or it can be used and saved. */
static void bytes_that_nobody_saved_are_refused_or_harmless(void **state)
{
	struct buf live = {0}, all = {0}, out = {0}, ended = {0};
	struct followed f;
	struct error err;
	unsigned refused = 0, taken = 0;

	(void)state;
	open_capture(&f, "network");
	while (follow(&f))
		;
	save_all(&f, &live, &all);
	for (size_t at = 0; at < 2 * live.len; at++) {
		struct act_net *n;
		size_t len = at < live.len ? at : live.len;

		if (at >= live.len)
			live.p[at - live.len] = (char)~live.p[at - live.len];
		if (act_net_restore(&all_sockets, sv_make(live.p, len), NULL, 0, &n, &err) < 0) {
			refused++;
		} else {
			taken++;
			act_net_settle(n, f.state);
			buf_reset(&out);
			buf_reset(&ended);
			assert_true(act_net_save(n, f.state, &out, &ended, &err) >= 0);
			act_net_free(n);
		}
		if (at >= live.len)
			live.p[at - live.len] = (char)~live.p[at - live.len];
		else
			assert_int_equal(taken, 0); /* what is cut is never whole */
	}
	for (size_t at = 0; at < 2 * all.len; at++) {
		struct act_sessions *x;
		size_t len = at < all.len ? at : all.len;

		if (at >= all.len)
			all.p[at - all.len] = (char)~all.p[at - all.len];
		if (act_sessions_restore(NULL, all.p, len, &x, &err) < 0) {
			refused++;
		} else {
			buf_reset(&out);
			assert_true(act_sessions_save(x, &out, &err) >= 0);
			act_sessions_free(x);
		}
		if (at >= all.len)
			all.p[at - all.len] = (char)~all.p[at - all.len];
	}
	assert_true(refused > live.len + all.len);
	close_capture(&f);
	buf_done(&live);
	buf_done(&all);
	buf_done(&out);
	buf_done(&ended);
}

static void facts_come_back(void **state)
{
	struct run_facts f, g;
	struct buf bytes = {0}, again = {0};
	struct archive a = archive_to(&bytes);
	struct state_binding bind;
	struct ev_item item;
	struct followed c;
	struct error err;

	(void)state;
	open_capture(&c, "intrusion");
	run_facts_init(&f);
	while (ev_source_next(sf_reader_source(c.reader), &item, &err) > 0) {
		run_facts_item(&f, &item);
		if (state_feed(c.state, &item, &bind, &err) > 0)
			run_facts_event(&f, c.state, &bind);
	}
	assert_int_equal(run_facts_end(&f, c.reader, c.state, &err), 0);
	assert_int_equal(f.visible, 18844);
	assert_int_equal(run_facts_archive(&f, &a), 0);
	run_facts_init(&g);
	a = archive_from(bytes.p, bytes.len);
	assert_int_equal(run_facts_archive(&g, &a), 0);
	assert_null(a.trouble);
	a = archive_to(&again);
	assert_int_equal(run_facts_archive(&g, &a), 0);
	assert_true(same(&bytes, &again));
	run_facts_done(&g);
	for (size_t len = 0; len < bytes.len; len++) {
		run_facts_init(&g);
		a = archive_from(bytes.p, len);
		assert_int_equal(run_facts_archive(&g, &a), 0);
		assert_non_null(a.trouble);
		run_facts_done(&g);
	}
	run_facts_done(&f);
	close_capture(&c);
	buf_done(&bytes);
	buf_done(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(trackers_that_were_restored_know_the_same),
	    cmocka_unit_test(bytes_that_nobody_saved_are_refused_or_harmless),
	    cmocka_unit_test(facts_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
