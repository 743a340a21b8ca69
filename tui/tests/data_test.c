/* SPDX-License-Identifier: Apache-2.0 */
/* What views are shown is what a plain walk from the start finds, wherever one looks first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay/moment.h"
#include "replay/trackers.h"
#include "tui/tests/data_place.h"

/* --- moments */

struct image { /* everything that can be told of a moment */
	struct buf bytes;
	uint64_t num;
};

static void add_moment(struct image *i, struct state *st, struct act_procs *procs,
		       struct act_net *net, struct act_sessions *sessions)
{
	struct archive a;
	const struct act_conn *c;
	struct buf all = {0};
	struct error err;

	buf_reset(&i->bytes);
	i->num = state_stats(st)->events;
	assert_int_equal(state_image(st, &i->bytes, &err), 0);
	a = archive_to(&i->bytes);
	assert_int_equal(act_procs_archive(procs, &a), 0);
	assert_int_equal(act_procs_archive_dead(procs, 0, &a), 0);
	for (size_t at = 0; act_net_next(net, &at, &c);) {
		act_end_text(&i->bytes, c->family, &c->local);
		act_end_text(&i->bytes, c->family, &c->remote);
		buf_addf(&i->bytes, " %d %llu %llu %u;", (int)c->state,
			 (unsigned long long)c->bytes_in, (unsigned long long)c->bytes_out,
			 c->holder_count);
	}
	if (sessions)
		assert_int_equal(act_sessions_save(sessions, &all, &err), 1);
	buf_sv(&i->bytes, buf_view(&all));
	buf_done(&all);
	assert_false(i->bytes.failed);
}

/* A walk from the start that applies what a moment is, and nothing else. */
static void plain_moment(const char *path, const struct run_moment *m, bool sessions,
			 struct image *out)
{
	static const struct state_options opt = {.host_names = true};
	struct run_trackers t = {0};
	struct sf_reader *r;
	struct state *st;
	struct state_binding b;
	struct ev_item item;
	struct error err;
	uint64_t ts = 0;

	assert_int_equal(sf_reader_open(path, NULL, &r, &err), 0);
	assert_int_equal(state_new(&opt, &st, &err), 0);
	assert_int_equal(run_trackers_init(&t, st, &err), 0);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0) {
		if (run_moment_is_before(m, st, &item, &ts))
			break;
		run_trackers_item(&t, &item);
		if (state_feed(st, &item, &b, &err) > 0)
			run_trackers_take(&t, st, &b);
	}
	state_complete(st);
	state_settle(st, m->kind == RUN_AT_TIME ? m->value : state_stats(st)->last_ts);
	act_net_settle(t.net, st);
	act_sessions_settle(t.sessions, st);
	add_moment(out, st, t.procs, t.net, sessions ? t.sessions : NULL);
	state_free(st);
	sf_reader_close(r);
	run_trackers_done(&t);
}

static void compare_moment(struct tui_data *d, const char *path, const struct run_moment *m)
{
	struct image expected = {0}, got = {0};
	const struct tui_moment *moment;
	struct error err = {0};

	if (m->kind == RUN_AT_TIME)
		tui_data_goto_time(d, m->value);
	else
		tui_data_goto_event(d, m->value);
	if (tui_data_moment(d, &moment, &err) < 0)
		fail_msg("%s", err.msg);
	add_moment(&got, moment->state, moment->procs, moment->net, moment->sessions);
	plain_moment(path, m, moment->sessions, &expected);
	assert_int_equal(moment->num, expected.num);
	assert_int_equal(got.num, expected.num);
	assert_int_equal(got.bytes.len, expected.bytes.len);
	assert_memory_equal(got.bytes.p, expected.bytes.p, got.bytes.len);
	buf_done(&got.bytes);
	buf_done(&expected.bytes);
}

static uint64_t random_below(uint64_t *seed, uint64_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return n ? (*seed >> 33) % n : 0;
}

static void moments_of(const char *name, uint64_t chunk, unsigned rounds)
{
	struct place p;
	struct tui_data *d;
	const struct tui_capture *c;
	struct run_moment m;
	uint64_t seed = 1, num = 0;

	make_place(&p, name, chunk);
	d = open_wait(&p);
	c = tui_data_capture(d);
	assert_non_null(c->index);
	for (unsigned i = 0; i < rounds; i++) {
		/* Far, and a little further on. */
		num = i % 3 ? num + random_below(&seed, 50) : random_below(&seed, c->events + 1);
		if (num >= c->events)
			num = c->events - 1;
		m = (struct run_moment){.kind = RUN_AT_EVENT, .value = num};
		compare_moment(d, p.capture, &m);
		if (i % 4)
			continue;
		m.kind = RUN_AT_TIME;
		m.value = c->first_ts + random_below(&seed, c->last_ts - c->first_ts);
		compare_moment(d, p.capture, &m);
	}
	tui_data_close(d);
	drop_place(&p);
}

static void a_moment_is_what_a_walk_from_the_start_gives(void **state)
{
	(void)state;
	moments_of("intrusion.scap", 700, 30);
	moments_of("network.scap", 100, 30);
	moments_of("sessions.scap", 5, 30);
	moments_of("uring.scap", 5, 30);
}

static void without_chunks_it_is_the_same(void **state)
{
	(void)state;
	moments_of("network.scap", 0, 20);
}

static void times_beyond_the_ends_are_the_ends(void **state)
{
	const struct tui_moment *m;
	const struct tui_capture *c;
	struct error err = {0};
	struct place p;
	struct tui_data *d;
	uint64_t num;

	(void)state;
	make_place(&p, "network.scap", 100);
	d = open_wait(&p);
	c = tui_data_capture(d);
	assert_int_equal(tui_data_time(d, &num), c->last_ts);
	assert_int_equal(num, c->events);
	tui_data_goto_event(d, UINT64_MAX);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	assert_int_equal(m->num, c->events);
	tui_data_goto_time(d, 1);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	assert_int_equal(m->num, 0);
	tui_data_goto_time(d, UINT64_MAX);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	assert_int_equal(m->num, c->events);
	assert_true(tui_data_poll(d) & TUI_NEWS_TIME);
	assert_false(tui_data_poll(d) & TUI_NEWS_TIME);
	tui_data_close(d);
	drop_place(&p);
}

static unsigned dead_of(const struct tui_moment *m)
{
	unsigned n = 0;

	for (size_t at = 0; act_procs_next_dead(m->procs, &at);)
		n++;
	return n;
}

static void what_is_gone_can_be_left_out(void **state)
{
	const struct tui_moment *m;
	struct error err = {0};
	struct place p;
	struct tui_data *d;
	unsigned all, some;
	uint64_t threads;

	(void)state;
	make_place(&p, "intrusion.scap", 700);
	d = open_wait(&p);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	all = dead_of(m);
	threads = state_threads(m->state);
	tui_data_want_gone(d, false);
	tui_data_goto_event(d, 1);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	tui_data_goto_event(d, UINT64_MAX);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	some = dead_of(m);
	assert_int_equal(state_threads(m->state), threads);
	assert_true(some < all);
	tui_data_want_gone(d, true);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	assert_int_equal(dead_of(m), all);
	tui_data_close(d);
	drop_place(&p);
}

/* Before there is an index, what is near the start can be seen, and the rest is said to come. */
static void without_an_index_the_start_is_there(void **state)
{
	static const char busy[] = SOURCE_DIR "/../shared/corpus/recorded/busy.scap.zst";
	const char *captures[] = {busy};
	const struct tui_data_options opt = {.captures = captures, .capture_count = 1};
	const struct tui_moment *m;
	struct error err = {0};
	struct tui_data *d;
	char dir[] = "/tmp/data-test-XXXXXX", command[64];

	(void)state;
	if (access(busy, R_OK) != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	setenv("XDG_CACHE_HOME", dir, 1);
	setenv("TMPDIR", dir, 1);
	assert_int_equal(tui_data_open(&opt, &d, &err), 0);
	assert_null(tui_data_capture(d)->index);
	assert_int_equal(tui_data_moment(d, &m, &err), ERR_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "indexing"));
	tui_data_goto_event(d, 1000000);
	assert_int_equal(tui_data_moment(d, &m, &err), ERR_UNSUPPORTED);
	tui_data_goto_event(d, 100);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	assert_int_equal(m->num, 100);
	tui_data_close(d);
	unsetenv("TMPDIR");
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	assert_int_equal(system(command), 0);
}

static void two_moments_are_there_at_once(void **state)
{
	const struct tui_moment *m;
	struct tui_moment *other;
	const struct tui_capture *c;
	struct error err = {0};
	struct place p;
	struct tui_data *d;
	uint64_t last;

	(void)state;
	make_place(&p, "intrusion.scap", 700);
	d = open_wait(&p);
	c = tui_data_capture(d);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	last = m->num;
	assert_int_equal(
	    tui_moment_at(d, c->first_ts + (c->last_ts - c->first_ts) / 2, &other, &err), 0);
	assert_true(other->num && other->num < last);
	assert_true(other->ts <= c->first_ts + (c->last_ts - c->first_ts) / 2);
	assert_true(other->state != m->state);
	assert_int_equal(state_stats(m->state)->events, last);
	tui_moment_free(other);
	tui_moment_free(NULL);
	tui_data_close(d);
	drop_place(&p);
}

/* --- windows */

static const char *const columns[] = {"%evt.num", "%proc.name", "%fd.name", "%evt.args"};

struct plain { /* all that passes, by a walk from the start */
	uint64_t *nums;
	char **texts;
	size_t count;
	uint64_t events;
};

static void plain_events(const char *path, const char *filter, struct plain *out)
{
	static const struct state_options opt = {.host_names = true};
	const struct flt_options flt = {0};
	struct flt_program *program;
	struct flt_format *formats[COUNT_OF(columns)];
	struct flt_ctx *cx;
	struct arena arena = {0};
	struct flt_node *node;
	struct sf_reader *r;
	struct state *st;
	struct state_binding b;
	struct ev_item item;
	struct error err = {0};
	unsigned id = 0;

	*out = (struct plain){.nums = calloc(200000, sizeof(*out->nums)),
			      .texts = calloc(200000, sizeof(*out->texts))};
	assert_int_equal(flt_program_new(&flt, &program, &err), 0);
	if (filter) {
		assert_int_equal(
		    flt_parse(sv_of(filter), FLT_DEPTH_DEFAULT, &arena, &node, NULL, &err), 0);
		assert_int_equal(flt_program_add(program, node, NULL, NULL, &id, NULL, &err), 0);
	}
	for (size_t i = 0; i < COUNT_OF(columns); i++) {
		char text[64];

		snprintf(text, sizeof(text), "*%s", columns[i]);
		assert_int_equal(flt_format_new(program, sv_of(text), &formats[i], &err), 0);
	}
	assert_int_equal(flt_program_seal(program, &err), 0);
	assert_int_equal(sf_reader_open(path, NULL, &r, &err), 0);
	assert_int_equal(state_new(&opt, &st, &err), 0);
	assert_int_equal(flt_ctx_new(program, st, &cx, &err), 0);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0) {
		struct buf text = {0};

		if (state_feed(st, &item, &b, &err) <= 0 || !b.visible)
			continue;
		flt_ctx_event(cx, &b);
		if (filter && !flt_match(cx, id))
			continue;
		for (size_t i = 0; i < COUNT_OF(columns); i++) {
			(void)flt_format_part_text(cx, formats[i], 0, &text);
			buf_char(&text, '|');
		}
		out->nums[out->count] = b.ev->num;
		out->texts[out->count++] = strdup(buf_cstr(&text));
		buf_done(&text);
	}
	out->events = state_stats(st)->events;
	flt_ctx_free(cx);
	state_free(st);
	sf_reader_close(r);
	flt_program_free(program);
	arena_done(&arena);
}

static void plain_done(struct plain *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->texts[i]);
	free(p->texts);
	free(p->nums);
}

static void compare_row(const struct tui_event *e, const struct plain *p, size_t i)
{
	struct buf text = {0};

	assert_int_equal(e->num, p->nums[i]);
	for (size_t k = 0; k < COUNT_OF(columns); k++) {
		buf_sv(&text, e->cells[k]);
		buf_char(&text, '|');
	}
	assert_string_equal(buf_cstr(&text), p->texts[i]);
	buf_done(&text);
}

/* The window in as many calls as the deadline makes of it. */
static void compare_window(struct tui_events *e, const struct plain *p, uint64_t num, bool back,
			   size_t n, uint64_t deadline)
{
	const struct tui_event *out;
	size_t first = 0, expected, calls = 0;
	struct error err = {0};
	uint64_t at;
	bool more;
	int got;

	while (first < p->count && p->nums[first] < num)
		first++;
	if (back) {
		expected = first < n ? first : n;
		first -= expected;
	} else {
		expected = p->count - first < n ? p->count - first : n;
	}
	do {
		got = tui_events_window(e, num, back, n, deadline, &out, &more, &at, &err);
		if (got < 0)
			fail_msg("%s", err.msg);
		assert_true(++calls < 100000);
	} while ((size_t)got < n && more && (deadline || (size_t)got < expected));
	if ((size_t)got != expected)
		fail_msg("%d of %zu events %s %llu", got, expected, back ? "before" : "from",
			 (unsigned long long)num);
	for (size_t i = 0; i < expected; i++)
		compare_row(&out[i], p, first + i);
}

#define NO_INDEX UINT64_MAX /* for @chunk: what the background makes is not taken over */

static void windows_of(const char *name, uint64_t chunk, const char *filter, uint64_t deadline)
{
	const struct tui_events_options opt = {
	    .filter = filter, .columns = columns, .column_count = COUNT_OF(columns), .pid = -1};
	struct tui_events *e;
	struct error err = {0};
	struct plain plain;
	struct tui_data *d;
	struct place p;
	uint64_t seed = 7, num = 1;

	make_place(&p, name, chunk == NO_INDEX ? 0 : chunk);
	d = chunk == NO_INDEX ? open_bare(&p) : open_wait(&p);
	plain_events(p.capture, filter, &plain);
	if (tui_events_open(d, &opt, &e, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	compare_window(e, &plain, UINT64_MAX, true, 40, deadline);
	for (unsigned i = 0; i < 60; i++) {
		bool back = i % 3 == 1;

		/* By lines, by pages, far away. */
		num = i % 5 == 0	 ? random_below(&seed, plain.events + 2)
		      : back && num > 30 ? num - random_below(&seed, 30)
					 : num + random_below(&seed, 80);
		compare_window(e, &plain, num, back, 1 + random_below(&seed, 60), deadline);
	}
	compare_window(e, &plain, 0, true, 10, deadline);
	compare_window(e, &plain, plain.events + 5, false, 10, deadline);
	tui_events_close(e);
	tui_data_close(d);
	plain_done(&plain);
	drop_place(&p);
}

static void windows_are_cut_out_of_all_events(void **state)
{
	(void)state;
	windows_of("network.scap", 100, NULL, 0);
	windows_of("intrusion.scap", 1500, NULL, 0);
	windows_of("intrusion.scap", 0, NULL, 0);
}

static void windows_show_what_passes(void **state)
{
	(void)state;
	windows_of("intrusion.scap", 1500, "evt.type = execve", 0);
	windows_of("intrusion.scap", 1500, "proc.name contains s and fd.num > 3", 0);
	windows_of("intrusion.scap", 700, "evt.type = nanosleep and proc.pid = 77777", 0);
	windows_of("network.scap", 0, "evt.type in (connect, close)", 0);
}

static void windows_in_many_slices_are_the_same(void **state)
{
	(void)state;
	windows_of("intrusion.scap", 1500, "evt.type = execve", 1);
	windows_of("intrusion.scap", 1500, NULL, 1);
	windows_of("network.scap", NO_INDEX, NULL, 0);
	windows_of("intrusion.scap", NO_INDEX, "evt.type = execve", 1);
}

static void what_is_no_condition_is_refused(void **state)
{
	struct tui_events_options opt = {.filter = "evt.type = ", .pid = -1};
	struct tui_events *e = NULL;
	struct error err = {0};
	struct flt_pos pos;
	struct tui_data *d;
	struct place p;

	(void)state;
	make_place(&p, "network.scap", 0);
	d = open_wait(&p);
	assert_int_equal(tui_events_open(d, &opt, &e, &pos, &err), ERR_SYNTAX);
	opt.filter = "evt.tipe = open";
	assert_int_equal(tui_events_open(d, &opt, &e, &pos, &err), ERR_COMPILE);
	assert_null(e);
	tui_data_close(d);
	drop_place(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_moment_is_what_a_walk_from_the_start_gives),
	    cmocka_unit_test(without_chunks_it_is_the_same),
	    cmocka_unit_test(times_beyond_the_ends_are_the_ends),
	    cmocka_unit_test(two_moments_are_there_at_once),
	    cmocka_unit_test(what_is_gone_can_be_left_out),
	    cmocka_unit_test(without_an_index_the_start_is_there),
	    cmocka_unit_test(windows_are_cut_out_of_all_events),
	    cmocka_unit_test(windows_show_what_passes),
	    cmocka_unit_test(windows_in_many_slices_are_the_same),
	    cmocka_unit_test(what_is_no_condition_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
