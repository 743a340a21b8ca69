/* SPDX-License-Identifier: Apache-2.0 */
/* Captures that come while they are looked at: followed, frozen, gone back in, dropped, saved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <time.h>

#include "query/query.h"
#include "tui/tests/data_place.h"

#define SEGMENTS_MAX 4
#define LIMIT	     10000 /* times 1 ms, until what is expected counts as not coming */

struct stream { /* segments that the test begins */
	struct place place;
	struct tui_live live;
	struct tui_live_state state;
	char *paths[SEGMENTS_MAX];
	unsigned cuts, saved;
	struct tui_data *d;
};

static void look(void *arg, struct tui_live_state *out)
{
	*out = ((struct stream *)arg)->state;
}

static char *path_of(void *arg, size_t i)
{
	return strdup(((struct stream *)arg)->paths[i]);
}

static void cut(void *arg)
{
	((struct stream *)arg)->cuts++;
}

static int save(void *arg, char **paths, size_t n, const char *out, struct error *err)
{
	struct stream *s = arg;

	s->saved = (unsigned)n;
	if (strstr(out, "refused"))
		return error_set(err, ERR_IO, "it is refused");
	copy_file(paths[0], out);
	return 0;
}

static void add(struct stream *s, const char *name)
{
	char from[160];
	size_t i = s->state.segments;

	snprintf(from, sizeof(from), CAPTURES "%s", name);
	assert_true(asprintf(&s->paths[i], "%s/s.%04zu.scap", s->place.dir, i) > 0);
	copy_file(from, s->paths[i]);
	s->state.segments++;
}

/* A segment as far as it is written: @share of 4 quarters of its bytes. */
static void write_part(const char *name, const char *path, unsigned share)
{
	char from[160];
	struct stat sb;

	snprintf(from, sizeof(from), CAPTURES "%s", name);
	copy_file(from, path);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(truncate(path, sb.st_size / 4 * share + (share == 4 ? sb.st_size % 4 : 0)),
			 0);
}

static void begin(struct stream *s, uint64_t window)
{
	const struct qry_run run = {.version = "1", .command = "test", .matching = "first"};
	struct tui_data_options opt = {.live = &s->live, .case_path = s->place.capture};
	struct qry_writer *w;
	struct error err = {0};

	*s = (struct stream){0};
	make_place(&s->place, "intrusion.scap", 0);
	assert_int_equal(unlink(s->place.capture), 0); /* the case takes its place */
	assert_int_equal(qry_writer_open(s->place.capture, &run, &w, &err), 0);
	assert_int_equal(qry_writer_close(w, 0, &err), 0);
	opt.case_path = s->place.capture;
	s->live = (struct tui_live){.dir = s->place.dir,
				    .nameless = true,
				    .window = window,
				    .look = look,
				    .path = path_of,
				    .cut = cut,
				    .save = save,
				    .arg = s};
	add(s, "intrusion.scap");
	if (tui_data_open(&opt, &s->d, &err) < 0)
		fail_msg("%s", err.msg);
}

static void end(struct stream *s)
{
	tui_data_close(s->d);
	for (size_t i = 0; i < s->state.segments; i++)
		free(s->paths[i]);
	drop_place(&s->place);
}

static void wait_a_moment(void)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static const struct tui_capture *capture(struct stream *s, size_t i)
{
	const struct tui_capture *all;

	assert_true(i < tui_data_captures(s->d, &all));
	return &all[i];
}

/* Until capture @i has an index of everything. */
static void wait_for(struct stream *s, size_t i)
{
	const struct tui_capture *all;

	for (unsigned k = 0; k < LIMIT; k++) {
		(void)tui_data_poll(s->d);
		if (tui_data_captures(s->d, &all) > i && all[i].index)
			return;
		wait_a_moment();
	}
	fail_msg("there is no index of segment %zu", i);
}

static bool follows(struct stream *s)
{
	struct tui_live_now now;

	assert_true(tui_data_live(s->d, &now));
	return now.follows;
}

static size_t current(struct stream *s)
{
	const struct tui_capture *all;

	(void)tui_data_captures(s->d, &all);
	return (size_t)(tui_data_capture(s->d) - all);
}

static uint64_t number(struct stream *s)
{
	uint64_t num;

	(void)tui_data_time(s->d, &num);
	return num;
}

static void followed_and_frozen(void **unused)
{
	const struct tui_moment *m;
	struct stream s;
	struct error err;
	uint64_t there;

	(void)unused;
	begin(&s, UINT64_MAX);
	assert_null(tui_data_case_path(s.d));
	wait_for(&s, 0);
	assert_true(follows(&s));
	assert_int_equal(number(&s), capture(&s, 0)->events);
	assert_int_equal(tui_data_moment(s.d, &m, &err), 0);
	assert_int_equal(m->num, capture(&s, 0)->events);
	add(&s, "intrusion.scap");
	wait_for(&s, 1);
	assert_int_equal(current(&s), 1);
	tui_data_follow(s.d, false);
	there = number(&s);
	add(&s, "intrusion.scap");
	wait_for(&s, 2);
	assert_false(follows(&s));
	assert_int_equal(current(&s), 1);
	assert_int_equal(number(&s), there);
	tui_data_follow(s.d, true);
	assert_int_equal(current(&s), 2);
	end(&s);
}

static void gone_back_in(void **unused)
{
	const struct tui_moment *m;
	struct stream s;
	struct error err;

	(void)unused;
	begin(&s, UINT64_MAX);
	add(&s, "uring.scap");
	wait_for(&s, 0);
	wait_for(&s, 1);
	assert_true(capture(&s, 1)->first_ts > capture(&s, 0)->last_ts);
	assert_int_equal(current(&s), 1);
	tui_data_goto_time(s.d, capture(&s, 0)->last_ts - 1);
	assert_int_equal(current(&s), 0);
	assert_false(follows(&s));
	assert_int_equal(tui_data_moment(s.d, &m, &err), 0);
	assert_true(m->num > 0 && m->num < capture(&s, 0)->events);
	/* On from the last event of one is the first of the next. */
	tui_data_goto_event(s.d, capture(&s, 0)->events + 1);
	assert_int_equal(current(&s), 1);
	assert_int_equal(number(&s), 1);
	assert_false(follows(&s));
	tui_data_goto_time(s.d, capture(&s, 1)->last_ts);
	assert_true(follows(&s));
	end(&s);
}

static void oldest_goes(void **unused)
{
	struct stream s;

	(void)unused;
	begin(&s, 1);
	wait_for(&s, 0);
	tui_data_follow(s.d, false);
	add(&s, "intrusion.scap");
	wait_for(&s, 1);
	add(&s, "intrusion.scap");
	add(&s, "intrusion.scap");
	wait_for(&s, 3);
	(void)tui_data_poll(s.d);
	/* Somebody looks at the first, two are kept whatever their size. */
	assert_true(capture(&s, 0)->there && access(s.paths[0], F_OK) == 0);
	assert_false(capture(&s, 1)->there || access(s.paths[1], F_OK) == 0);
	assert_true(capture(&s, 2)->there && capture(&s, 3)->there);
	tui_data_follow(s.d, true);
	(void)tui_data_poll(s.d);
	assert_int_equal(current(&s), 3);
	assert_false(capture(&s, 0)->there || access(s.paths[0], F_OK) == 0);
	end(&s);
}

static const char *wait_for_saved(struct stream *s, struct buf *trouble)
{
	const char *path = NULL;

	for (unsigned k = 0; !path && !trouble->len && k < LIMIT; k++) {
		(void)tui_data_poll(s->d);
		tui_data_trouble(s->d, trouble);
		path = tui_data_saved(s->d);
		wait_a_moment();
	}
	return path;
}

static void saved(void **unused)
{
	struct buf out = {0}, trouble = {0};
	struct stream s;
	struct error err;

	(void)unused;
	begin(&s, UINT64_MAX);
	wait_for(&s, 0);
	buf_addf(&out, "%s/window.scap", s.place.dir);
	assert_int_equal(tui_data_save_window(s.d, buf_view(&out), &err), 0);
	assert_int_equal(s.cuts, 1);
	assert_int_equal(tui_data_save_window(s.d, buf_view(&out), &err), ERR_USAGE);
	(void)tui_data_poll(s.d);
	assert_int_equal(s.saved, 0); /* the segment is not complete */
	add(&s, "intrusion.scap");
	assert_string_equal(wait_for_saved(&s, &trouble), buf_cstr(&out));
	assert_int_equal(s.saved, 1);
	assert_int_equal(tui_data_save_window(s.d, buf_view(&out), &err),
			 ERR_USAGE); /* it exists */
	buf_lit(&out, ".refused");
	assert_int_equal(tui_data_save_window(s.d, buf_view(&out), &err), 0);
	add(&s, "intrusion.scap");
	assert_null(wait_for_saved(&s, &trouble));
	assert_string_equal(buf_cstr(&trouble), "it is refused");
	assert_int_equal(s.saved, 2);
	buf_done(&out);
	buf_done(&trouble);
	end(&s);
}

/* --- events of all segments */

#define KEYS_MAX 40000

struct keys {
	size_t count;
	uint64_t all[KEYS_MAX];
};

static struct tui_events *events_of(struct stream *s, const char *filter, bool through_all)
{
	const struct tui_events_options opt = {
	    .filter = filter, .pid = -1, .through_all = through_all};
	struct tui_events *e;
	struct error err;

	if (tui_events_open(s->d, &opt, &e, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	return e;
}

/* All of them, @n at a time; backwards, in the same order. */
static struct keys *keys_of(struct tui_events *e, size_t n, bool back)
{
	struct keys *k = calloc(1, sizeof(*k));
	uint64_t at = back ? UINT64_MAX : 0;
	const struct tui_event *ev;
	struct error err;
	bool more = true;

	assert_non_null(k);
	while (more) {
		int got = tui_events_window(e, at, back, n, 0, &ev, &more, &at, &err);

		assert_true(got >= 0 && k->count + (size_t)got <= KEYS_MAX);
		if (back)
			memmove(k->all + got, k->all, k->count * sizeof(k->all[0]));
		for (int i = 0; i < got; i++)
			k->all[back ? (size_t)i : k->count + (size_t)i] = ev[i].num;
		k->count += (size_t)got;
	}
	return k;
}

static void assert_same(struct keys *a, struct keys *b)
{
	assert_int_equal(a->count, b->count);
	assert_memory_equal(a->all, b->all, a->count * sizeof(a->all[0]));
	free(a);
	free(b);
}

/* What each segment has by itself, one behind the other. */
static struct keys *keys_one_by_one(struct stream *s, const char *filter)
{
	struct keys *all = calloc(1, sizeof(*all));
	const struct tui_capture *captures;
	size_t n = tui_data_captures(s->d, &captures);

	assert_non_null(all);
	for (size_t i = 0; i < n; i++) {
		struct tui_events *e;
		struct keys *own;
		struct error err;

		if (!captures[i].there)
			continue;
		assert_int_equal(tui_data_use(s->d, i, &err), 0);
		e = events_of(s, filter, false);
		own = keys_of(e, 1000, false);
		assert_true(all->count + own->count <= KEYS_MAX);
		for (size_t k = 0; k < own->count; k++)
			all->all[all->count++] = tui_key(i, own->all[k]);
		free(own);
		tui_events_close(e);
	}
	return all;
}

static void through_all(void **unused)
{
	static const char *const filters[] = {NULL, "evt.type = execve", "evt.type = ptrace",
					      "proc.name = sh"};
	struct stream s;

	(void)unused;
	begin(&s, UINT64_MAX);
	add(&s, "uring.scap");
	add(&s, "intrusion.scap");
	wait_for(&s, 0);
	wait_for(&s, 1);
	wait_for(&s, 2);
	for (size_t i = 0; i < 4; i++) {
		struct tui_events *e = events_of(&s, filters[i], true);

		assert_same(keys_of(e, 7, true), keys_one_by_one(&s, filters[i]));
		assert_same(keys_of(e, 1000, false), keys_one_by_one(&s, filters[i]));
		tui_events_close(e);
		e = events_of(&s, filters[i], true);
		assert_same(keys_of(e, 13, false), keys_of(e, 1000, true));
		tui_events_close(e);
	}
	end(&s);
}

static void note_event(void *arg, const struct state *st, const struct state_binding *b)
{
	(void)st;
	*(uint64_t *)arg = b->ev->num;
}

static void named_by_key(void **unused)
{
	struct stream s;
	struct error err;
	uint64_t num = 0, key;

	(void)unused;
	begin(&s, UINT64_MAX);
	add(&s, "uring.scap");
	wait_for(&s, 0);
	wait_for(&s, 1);
	assert_int_equal(tui_data_time_key(s.d), tui_key(1, capture(&s, 1)->events));
	assert_int_equal(tui_data_event(s.d, tui_key(0, 17), note_event, &num, &err), 0);
	assert_int_equal(num, 17);
	assert_int_equal(current(&s), 1);
	assert_int_equal(tui_data_event(s.d, 3, note_event, &num, &err), 0);
	assert_int_equal(num, 3);
	tui_data_goto_event(s.d, tui_key(0, 17));
	assert_int_equal(current(&s), 0);
	assert_int_equal(number(&s), 17);
	assert_false(tui_data_before(s.d, &key));
	tui_data_goto_event(s.d, tui_key(1, 1));
	assert_int_equal(current(&s), 1);
	assert_true(tui_data_before(s.d, &key));
	tui_data_goto_event(s.d, key);
	assert_int_equal(tui_data_time_key(s.d), tui_key(0, capture(&s, 0)->events));
	tui_data_goto_event(s.d, UINT64_MAX);
	assert_true(follows(&s));
	tui_data_goto_event(s.d, 0);
	assert_int_equal(current(&s), 0);
	assert_int_equal(number(&s), 0);
	end(&s);
}

static void wait_for_events(struct stream *s, size_t i, uint64_t more_than)
{
	for (unsigned k = 0; k < LIMIT; k++) {
		(void)tui_data_poll(s->d);
		if (capture(s, i)->events > more_than)
			return;
		wait_a_moment();
	}
	fail_msg("segment %zu did not grow", i);
}

/* What was looked at stays; what came is added, with the same answers as if all had been there. */
static void grows(void **unused)
{
	static const char *const filters[] = {NULL, "evt.type = execve", "proc.name = sh"};
	struct tui_events *e[3];
	uint64_t before;
	struct stream s;

	(void)unused;
	begin(&s, UINT64_MAX);
	add(&s, "uring.scap");
	write_part("intrusion.scap", s.paths[1], 2);
	wait_for(&s, 0);
	wait_for(&s, 1);
	before = capture(&s, 1)->events;
	for (size_t i = 0; i < 3; i++) {
		e[i] = events_of(&s, filters[i], true);
		assert_same(keys_of(e[i], 20, true), keys_one_by_one(&s, filters[i]));
		assert_same(keys_of(e[i], 20, false), keys_one_by_one(&s, filters[i]));
	}
	write_part("intrusion.scap", s.paths[1], 4);
	wait_for_events(&s, 1, before);
	for (size_t i = 0; i < 3; i++) {
		assert_same(keys_of(e[i], 20, true), keys_one_by_one(&s, filters[i]));
		assert_same(keys_of(e[i], 20, false), keys_one_by_one(&s, filters[i]));
		tui_events_close(e[i]);
	}
	end(&s);
}

/* Of what grows, more may be there than its index knows: that comes when the index does. */
static void ahead_of_its_index(void **unused)
{
	struct tui_events *e;
	struct stream s;
	struct keys *k;
	uint64_t known;

	(void)unused;
	begin(&s, UINT64_MAX);
	add(&s, "intrusion.scap");
	write_part("intrusion.scap", s.paths[1], 2);
	wait_for(&s, 1);
	known = capture(&s, 1)->events;
	write_part("intrusion.scap", s.paths[1], 4);
	e = events_of(&s, "evt.num > 0", true);
	k = keys_of(e, 20, false);
	assert_int_equal(k->all[k->count - 1], tui_key(1, known));
	assert_same(keys_of(e, 20, true), k);
	wait_for_events(&s, 1, known);
	k = keys_of(e, 20, false);
	assert_int_equal(k->all[k->count - 1], tui_key(1, capture(&s, 1)->events));
	assert_same(keys_of(e, 20, true), k);
	tui_events_close(e);
	end(&s);
}

/* --- counts of all segments */

static const struct tui_counts *counts_of(struct stream *s, uint64_t from, uint64_t to, size_t n)
{
	const struct tui_counts *c = NULL;
	struct error err;

	for (unsigned k = 0; k < LIMIT; k++) {
		(void)tui_data_poll(s->d);
		if (tui_data_counts(s->d, from, to, n, 0, &c, &err) < 0)
			fail_msg("%s", err.msg);
		if (c->complete)
			return c;
		wait_a_moment();
	}
	fail_msg("counts are not complete");
	return NULL;
}

/* As many as there are, and the first one of each bucket is named by its key. */
static void assert_counts(struct stream *s, const struct tui_counts *c, const struct keys *k)
{
	uint64_t all = 0, before = 0;

	for (size_t i = 0; i < c->buckets; i++) {
		all += c->lanes[TUI_LANE_EVENTS][i];
		assert_int_equal(c->lanes[TUI_LANE_EVENTS][i] != 0, c->number[i] != 0);
		if (!c->number[i])
			continue;
		assert_true(c->number[i] > before);
		before = c->number[i];
	}
	assert_int_equal(all, k->count);
	assert_int_equal(tui_key_capture(s->d, before), tui_key_capture(s->d, k->all[all - 1]));
}

static void counted(void **unused)
{
	const struct tui_counts *c;
	struct tui_events *e;
	struct tui_span span;
	struct stream s;
	struct keys *k;

	(void)unused;
	begin(&s, UINT64_MAX);
	add(&s, "uring.scap");
	write_part("uring.scap", s.paths[1], 3);
	wait_for(&s, 0);
	wait_for(&s, 1);
	e = events_of(&s, NULL, true);
	k = keys_of(e, 1000, false);
	assert_true(tui_data_span(s.d, &span));
	assert_int_equal(span.from, capture(&s, 0)->first_ts);
	assert_int_equal(span.to, capture(&s, 1)->last_ts);
	assert_int_equal(span.events, capture(&s, 0)->events + capture(&s, 1)->events);
	c = counts_of(&s, span.from, span.to, 60); /* of totals of each */
	assert_counts(&s, c, k);
	assert_int_equal(tui_key_capture(s.d, c->number[0]), 0);
	free(k);
	/* What came since is counted, too. */
	write_part("uring.scap", s.paths[1], 4);
	wait_for_events(&s, 1, capture(&s, 1)->events);
	k = keys_of(e, 1000, false);
	assert_true(tui_data_span(s.d, &span));
	assert_counts(&s, counts_of(&s, span.from, span.to, 60), k);
	free(k);
	tui_events_close(e);
	/* Of one segment alone, and so fine that it is walked through. */
	e = events_of(&s, "evt.num > 0", false);
	k = keys_of(e, 1000, false);
	c = counts_of(&s, capture(&s, 1)->first_ts, capture(&s, 1)->last_ts, 4000);
	for (size_t i = 0; i < k->count; i++)
		k->all[i] = tui_key(1, k->all[i]);
	assert_counts(&s, c, k);
	free(k);
	tui_events_close(e);
	end(&s);
}

/* What is too old is not there any more. */
static void without_the_oldest(void **unused)
{
	struct tui_events *e;
	struct stream s;
	struct keys *k;

	(void)unused;
	begin(&s, 1);
	wait_for(&s, 0);
	e = events_of(&s, NULL, true);
	k = keys_of(e, 1000, false);
	assert_int_equal(tui_key_capture(s.d, k->all[0]), 0);
	free(k);
	add(&s, "intrusion.scap");
	add(&s, "uring.scap");
	wait_for(&s, 2);
	(void)tui_data_poll(s.d);
	assert_false(capture(&s, 0)->there);
	k = keys_of(e, 1000, false);
	assert_int_equal(tui_key_capture(s.d, k->all[0]), 1);
	assert_int_equal(tui_key_num(k->all[0]), 1);
	free(k);
	assert_same(keys_of(e, 50, true), keys_one_by_one(&s, NULL));
	tui_events_close(e);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(followed_and_frozen),
	    cmocka_unit_test(gone_back_in),
	    cmocka_unit_test(oldest_goes),
	    cmocka_unit_test(saved),
	    cmocka_unit_test(through_all),
	    cmocka_unit_test(named_by_key),
	    cmocka_unit_test(grows),
	    cmocka_unit_test(ahead_of_its_index),
	    cmocka_unit_test(counted),
	    cmocka_unit_test(without_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
