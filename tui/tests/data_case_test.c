/* SPDX-License-Identifier: Apache-2.0 */
/* Cases, what goes on in the background, and counts over time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "query/query.h"
#include "tui/tests/data_place.h"

#define SECOND 1000000000ull

/* --- making cases */

static uint64_t first_ts(const char *path)
{
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	uint64_t ts = 0;

	assert_int_equal(sf_reader_open(path, NULL, &r, &err), 0);
	while (!ts && ev_source_next(sf_reader_source(r), &item, &err) > 0)
		ts = item.kind == EV_ITEM_EVENT ? item.ev->ts : 0;
	sf_reader_close(r);
	return ts;
}

/* What a replay of @path without rules writes to @db. */
static int write_case(const char *path, const char *db, struct error *err)
{
	const struct sf_options opt = {.want_hash = true};
	const struct qry_run run = {.version = "1", .command = "test", .matching = "first"};
	struct qry_capture_end end = {0};
	struct qry_writer *w;
	struct sf_reader *r;
	struct ev_item item;
	int rc = qry_writer_open(db, &run, &w, err);

	if (rc < 0)
		return rc;
	assert_int_equal(sf_reader_open(path, &opt, &r, err), 0);
	assert_int_equal(qry_capture_begin(w, path, err), 0);
	while (ev_source_next(sf_reader_source(r), &item, err) > 0)
		end.events += item.kind == EV_ITEM_EVENT;
	end.stats = sf_reader_stats(r);
	end.first_ts = first_ts(path);
	end.last_ts = end.first_ts + SECOND;
	assert_int_equal(qry_capture_end(w, &end, err), 0);
	sf_reader_close(r);
	return qry_writer_close(w, 0, err);
}

static void run_sql(const char *db, const char *sql)
{
	sqlite3 *conn;
	char *why = NULL;

	assert_int_equal(sqlite3_open(db, &conn), SQLITE_OK);
	sqlite3_busy_timeout(conn, 10000);
	if (sqlite3_exec(conn, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(conn);
}

static void add_alert(const char *db, unsigned n, uint64_t ts)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		 "INSERT OR IGNORE INTO rules (rule_id, digest, name, source, priority, tags)"
		 " VALUES (1, 'd', 'Some rule', 'syscall', 4, '[]');"
		 "INSERT INTO alerts (alert_id, run_capture_id, seq, rule_id, ts, evt_num,"
		 " evt_offset, priority, fingerprint)"
		 " VALUES (%u, 1, %u, 1, %llu, %u, %u, 4, -2)",
		 n, n, (unsigned long long)ts, n, 1000 + n);
	run_sql(db, sql);
}

static void text_of(struct tui_data *d, const char *sql, char *out, size_t n)
{
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_prepare_v2(tui_data_case(d), sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	snprintf(out, n, "%s", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
}

static struct tui_data *open_case(const char *db, const char *capture, struct error *err)
{
	const char *captures[] = {capture};
	const struct tui_data_options opt = {
	    .case_path = db, .captures = captures, .capture_count = capture != NULL, .wait = true};
	struct tui_data *d = NULL;

	return tui_data_open(&opt, &d, err) < 0 ? NULL : d;
}

/* --- cases */

static void a_case_knows_where_its_captures_are(void **state)
{
	const struct tui_moment *m;
	const struct tui_capture *c;
	struct error err = {0};
	struct place p;
	struct tui_data *d;
	char db[160], moved[160];

	(void)state;
	make_place(&p, "network.scap", 0);
	snprintf(db, sizeof(db), "%s/case.db", p.dir);
	assert_int_equal(write_case(p.capture, db, &err), 0);
	d = open_case(db, NULL, &err);
	assert_non_null(d);
	assert_string_equal(tui_data_case_path(d), db);
	c = tui_data_capture(d);
	assert_true(c->there);
	assert_true(c->capture_id > 0);
	assert_int_equal(tui_data_capture_of(d, c->capture_id), 0);
	assert_int_equal(tui_data_capture_of(d, 99), SIZE_MAX);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	tui_data_close(d);

	/* It is elsewhere: there is the case only, until somebody says where. */
	snprintf(moved, sizeof(moved), "%s/moved", p.dir);
	assert_int_equal(mkdir(moved, 0700), 0);
	snprintf(moved, sizeof(moved), "%s/moved/other.scap", p.dir);
	assert_int_equal(rename(p.capture, moved), 0);
	d = open_case(db, NULL, &err);
	assert_non_null(d);
	assert_false(tui_data_capture(d)->there);
	assert_true(tui_data_capture(d)->first_ts > 0);
	assert_int_equal(tui_data_moment(d, &m, &err), ERR_UNSUPPORTED);
	assert_int_equal(tui_data_locate(d, db, &err), ERR_USAGE);
	assert_int_equal(tui_data_locate(d, "/nowhere", &err), ERR_IO);
	assert_int_equal(tui_data_locate(d, moved, &err), 0);
	(void)tui_data_poll(d);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	assert_true(m->num > 0);
	tui_data_close(d);

	d = open_case(db, moved, &err);
	assert_non_null(d);
	assert_true(tui_data_capture(d)->there);
	tui_data_close(d);
	/* Another file is none of the case. */
	assert_null(open_case(db, SOURCE_DIR "/tests/captures/uring.scap", &err));
	assert_int_equal(err.code, ERR_USAGE);
	drop_place(&p);
}

static void what_people_say_is_added(void **state)
{
	struct error err = {0};
	struct place p;
	struct tui_data *d;
	char db[160], text[256];

	(void)state;
	assert_int_equal(setenv("USER", "amy", 1), 0);
	make_place(&p, "network.scap", 0);
	snprintf(db, sizeof(db), "%s/case.db", p.dir);
	assert_int_equal(write_case(p.capture, db, &err), 0);
	add_alert(db, 1, 5 * SECOND);
	d = open_case(db, NULL, &err);
	assert_non_null(d);
	(void)tui_data_poll(d);
	assert_false(tui_data_poll(d) & TUI_NEWS_CASE);
	assert_int_equal(tui_data_add_note(d, 77, 5, SV_LIT("look here"), &err), 0);
	assert_true(tui_data_poll(d) & TUI_NEWS_CASE);
	text_of(d,
		"SELECT author || evt_offset || text || (capture_sha256 = (SELECT sha256 FROM"
		" captures)) FROM notes",
		text, sizeof(text));
	assert_string_equal(text, "amy77look here1");
	assert_int_equal(tui_data_add_note(d, 0, 0, SV_LIT("all of it"), &err), 0);
	text_of(d, "SELECT evt_offset IS NULL FROM notes WHERE note_id = 2", text, sizeof(text));
	assert_string_equal(text, "1");
	assert_int_equal(tui_data_add_bookmark(d, 78, 6, SV_LIT("start"), &err), 0);
	text_of(d, "SELECT evt_offset || ' ' || ts || label FROM bookmarks", text, sizeof(text));
	assert_string_equal(text, "78 6start");
	assert_int_equal(tui_data_add_verdict(d, 1, true, SV_LIT("benign"), SV_LIT("ours"), &err),
			 0);
	text_of(d, "SELECT fingerprint || verdict || reason FROM verdicts", text, sizeof(text));
	assert_string_equal(text, "fffffffffffffffebenignours");
	assert_int_equal(
	    tui_data_add_verdict(d, 1, false, SV_LIT("true positive"), SV_LIT(""), &err), 0);
	text_of(d, "SELECT evt_offset || rule FROM verdicts WHERE verdict_id = 2", text,
		sizeof(text));
	assert_string_equal(text, "1001Some rule");
	assert_int_equal(tui_data_add_verdict(d, 1, false, SV_LIT("fine"), SV_LIT(""), &err),
			 ERR_USAGE);
	assert_int_equal(tui_data_add_verdict(d, 9, true, SV_LIT("benign"), SV_LIT(""), &err),
			 ERR_USAGE);
	assert_int_equal(tui_data_save_filter(d, SV_LIT("sh"), SV_LIT("proc.name = sh"), &err), 0);
	assert_int_equal(tui_data_save_filter(d, SV_LIT("sh"), SV_LIT("proc.name = bash"), &err),
			 0);
	text_of(d, "SELECT value FROM meta WHERE name = 'filter sh'", text, sizeof(text));
	assert_string_equal(text, "proc.name = bash");
	assert_int_equal(tui_data_save_filter(d, SV_NONE, SV_LIT("x"), &err), ERR_USAGE);
	tui_data_close(d);
	drop_place(&p);
}

static void what_is_no_case_is_refused(void **state)
{
	struct error err = {0};
	struct place p;

	(void)state;
	make_place(&p, "network.scap", 0);
	assert_null(open_case(p.capture, NULL, &err));
	assert_int_equal(err.code, ERR_DB);
	assert_null(open_case("/nowhere/case.db", NULL, &err));
	drop_place(&p);
}

/* --- the background */

static int replay(void *arg, const char *path, const char *db, const volatile bool *stop,
		  struct error *err)
{
	unsigned *calls = arg;
	int rc = write_case(path, db, err);

	(void)stop;
	if (rc < 0)
		return rc;
	add_alert(db, 1, first_ts(path));
	++*calls;
	return 0;
}

static unsigned files_in(const char *dir)
{
	char command[160];
	FILE *f;
	unsigned n = 0;

	snprintf(command, sizeof(command), "find '%s' -name 'scapula-*' | wc -l", dir);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &n), 1);
	pclose(f);
	return n;
}

/* Index and alerts come by themselves, and nothing is left behind. */
static void background_of(bool wait, bool cache)
{
	const struct tui_capture *c;
	const struct tui_moment *m;
	struct tui_data_options opt;
	const char *captures[1];
	struct error err = {0};
	struct buf what = {0};
	unsigned calls = 0, news = 0;
	struct tui_data *d;
	struct place p;
	char text[64];

	make_place(&p, "intrusion.scap", 0);
	setenv("TMPDIR", p.dir, 1);
	if (!cache)
		setenv("SCAPULA_CACHE_SIZE", "0", 1);
	captures[0] = p.capture;
	opt = (struct tui_data_options){.captures = captures,
					.capture_count = 1,
					.replay = replay,
					.arg = &calls,
					.wait = wait};
	assert_int_equal(tui_data_open(&opt, &d, &err), 0);
	assert_null(tui_data_case_path(d));
	for (unsigned i = 0; i < 20000; i++) {
		news |= tui_data_poll(d);
		if (wait || !tui_data_is_busy(d, &what))
			if (news & TUI_NEWS_INDEX && tui_data_capture(d)->capture_id)
				break;
		usleep(1000);
	}
	news |= tui_data_poll(d);
	c = tui_data_capture(d);
	assert_non_null(c->index);
	assert_non_null(c->facts);
	assert_int_equal(c->facts->stats.events, c->events);
	assert_true(news & TUI_NEWS_INDEX && news & TUI_NEWS_CASE);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	assert_int_equal(m->num, c->events);
	text_of(d, "SELECT count(*) FROM alerts", text, sizeof(text));
	assert_string_equal(text, "1");
	what.len = 0;
	tui_data_trouble(d, &what);
	assert_int_equal(what.len, 0);
	assert_int_equal(files_in(p.dir), 1);
	tui_data_close(d);
	assert_int_equal(calls, 1);
	assert_int_equal(files_in(p.dir), 0);
	buf_done(&what);
	unsetenv("TMPDIR");
	unsetenv("SCAPULA_CACHE_SIZE");
	drop_place(&p);
}

static void index_and_alerts_come_by_themselves(void **state)
{
	(void)state;
	background_of(true, true);
	background_of(false, true);
}

static void without_a_cache_too(void **state)
{
	(void)state;
	background_of(true, false);
	background_of(false, false);
}

static void closing_at_once_is_fine(void **state)
{
	unsigned calls = 0;
	struct place p;

	(void)state;
	make_place(&p, "intrusion.scap", 0);
	for (unsigned i = 0; i < 5; i++) {
		const char *captures[] = {p.capture};
		const struct tui_data_options opt = {
		    .captures = captures, .capture_count = 1, .replay = replay, .arg = &calls};
		struct error err = {0};
		struct tui_data *d;

		assert_int_equal(tui_data_open(&opt, &d, &err), 0);
		usleep(i * 3000);
		tui_data_cancel(d);
		tui_data_close(d);
	}
	tui_data_close(NULL);
	drop_place(&p);
}

static void a_capture_that_goes_away_is_an_error(void **state)
{
	const struct tui_moment *m;
	struct error err = {0};
	struct place p;
	struct tui_data *d;

	(void)state;
	make_place(&p, "intrusion.scap", 700);
	d = open_wait(&p);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	assert_int_equal(unlink(p.capture), 0);
	tui_data_goto_event(d, 100);
	assert_int_equal(tui_data_moment(d, &m, &err), ERR_IO);
	assert_int_equal(tui_data_moment(d, &m, &err), ERR_IO);
	tui_data_close(d);
	drop_place(&p);
}

static void two_captures_take_turns(void **state)
{
	const struct tui_moment *m;
	struct error err = {0};
	struct place p, q;
	struct tui_data *d;
	const char *captures[2];
	struct tui_data_options opt = {.capture_count = 2, .wait = true};
	uint64_t first;

	(void)state;
	make_place(&p, "intrusion.scap", 700);
	make_place(&q, "network.scap", 0);
	captures[0] = p.capture;
	captures[1] = q.capture;
	opt.captures = captures;
	assert_int_equal(tui_data_open(&opt, &d, &err), 0);
	(void)tui_data_poll(d);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	first = m->num;
	assert_int_equal(tui_data_use(d, 1, &err), 0);
	assert_int_equal(tui_data_poll(d), TUI_NEWS_CAPTURE | TUI_NEWS_TIME);
	assert_int_equal(tui_data_moment(d, &m, &err), 0);
	assert_int_equal(m->num, tui_data_capture(d)->events);
	assert_int_not_equal(m->num, first);
	assert_int_equal(tui_data_use(d, 2, &err), ERR_USAGE);
	tui_data_close(d);
	drop_place(&p);
	drop_place(&q);
}

static void wait_until_idle(struct tui_data *d)
{
	struct buf what = {0};

	for (unsigned i = 0; i < 20000 && tui_data_is_busy(d, &what); i++) {
		(void)tui_data_poll(d);
		usleep(1000);
	}
	assert_false(tui_data_is_busy(d, &what));
	(void)tui_data_poll(d);
	buf_done(&what);
}

static void what_was_cancelled_begins_anew_when_it_is_looked_at(void **state)
{
	struct error err = {0};
	struct place p, q;
	struct tui_data *d;
	const char *captures[2];
	struct tui_data_options opt = {.capture_count = 2};

	(void)state;
	make_place(&p, "intrusion.scap", 0);
	make_place(&q, "network.scap", 0);
	captures[0] = p.capture;
	captures[1] = q.capture;
	opt.captures = captures;
	assert_int_equal(tui_data_open(&opt, &d, &err), 0);
	tui_data_cancel(d);
	wait_until_idle(d);
	assert_int_equal(tui_data_use(d, 1, &err), 0);
	wait_until_idle(d);
	assert_non_null(tui_data_capture(d)->index);
	tui_data_close(d);
	drop_place(&p);
	drop_place(&q);
}

/* --- counts */

static void compare_counts(struct tui_data *d, const char *path, uint64_t from, uint64_t to,
			   size_t buckets, uint64_t deadline)
{
	static const struct state_options opt = {.host_names = true};
	const struct tui_counts *c;
	uint64_t width = (to - from) / buckets + 1, lanes[TUI_LANE_COUNT][64] = {{0}};
	uint64_t number[64] = {0};
	struct error err = {0};
	struct sf_reader *r;
	struct state *st;
	struct state_binding b;
	struct ev_item item;
	unsigned calls = 0;

	assert_int_equal(sf_reader_open(path, NULL, &r, &err), 0);
	assert_int_equal(state_new(&opt, &st, &err), 0);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0) {
		const char *name;
		size_t i;
		int64_t ret;

		if (state_feed(st, &item, &b, &err) <= 0 || !b.visible || b.ev->ts < from ||
		    b.ev->ts > to)
			continue;
		i = (b.ev->ts - from) / width;
		name = ev_info(b.ev)->name;
		lanes[TUI_LANE_EVENTS][i]++;
		lanes[TUI_LANE_ERRORS][i] += b.errcode != 0;
		if (!number[i])
			number[i] = b.ev->num;
		if (!ev_type_is_exit(b.ev->type) || !ev_return_value(b.ev, &ret))
			continue;
		if (strcmp(name, "execve") == 0 || strcmp(name, "execveat") == 0)
			lanes[TUI_LANE_EXECS][i] += ret == 0;
		if (strcmp(name, "connect") == 0)
			lanes[TUI_LANE_CONNECTS][i] += ret == 0 || ret == -EINPROGRESS;
		if (strncmp(name, "accept", 6) == 0)
			lanes[TUI_LANE_CONNECTS][i] += ret >= 0;
		if (strcmp(name, "open_by_handle_at") == 0 || strcmp(name, "open") == 0 ||
		    strncmp(name, "openat", 6) == 0 || strcmp(name, "creat") == 0)
			lanes[TUI_LANE_OPENS][i] += ret >= 0;
		if (ev_info(b.ev)->flags & EF_WRITES_TO_FD && ret > 0)
			lanes[TUI_LANE_BYTES][i] += (uint64_t)ret;
	}
	state_free(st);
	sf_reader_close(r);
	do {
		if (tui_data_counts(d, from, to, buckets, deadline, &c, &err) < 0)
			fail_msg("%s", err.msg);
		assert_true(++calls < 100000);
		(void)tui_data_poll(d);
	} while (!c->complete);
	assert_int_equal(c->buckets, buckets);
	for (unsigned lane = TUI_LANE_EVENTS; lane < TUI_LANE_LOST; lane++)
		for (size_t i = 0; i < buckets; i++)
			if (c->lanes[lane][i] != lanes[lane][i])
				fail_msg("%s %zu: %llu, not %llu", tui_lane_names[lane], i,
					 (unsigned long long)c->lanes[lane][i],
					 (unsigned long long)lanes[lane][i]);
	assert_memory_equal(c->number, number, buckets * sizeof(number[0]));
}

static uint64_t sum(const uint64_t *of, size_t n)
{
	uint64_t all = 0;

	for (size_t i = 0; i < n; i++)
		all += of[i];
	return all;
}

static void counts_are_those_of_a_walk(void **state)
{
	const struct tui_capture *c;
	const struct tui_counts *counts;
	struct error err = {0};
	struct place p;
	struct tui_data *d;
	uint64_t part;

	(void)state;
	make_place(&p, "intrusion.scap", 700);
	d = open_wait(&p);
	c = tui_data_capture(d);
	part = (c->last_ts - c->first_ts) / 5000;
	/* Narrow ones are walked through, also in slices. */
	for (unsigned i = 0; i < 5; i++)
		compare_counts(d, p.capture, c->first_ts + 1000 * i * part,
			       c->first_ts + (1000 * i + 1 + i) * part, 17, i % 2);
	/* Wide ones are made of totals: an event may be in the bucket beside its own. */
	assert_int_equal(tui_data_counts(d, 0, UINT64_MAX - 1, 1, 0, &counts, &err), 0);
	compare_counts(d, p.capture, 0, UINT64_MAX - 1, 1, 0);
	assert_int_equal(tui_data_counts(d, c->first_ts, c->last_ts, 60, 0, &counts, &err), 0);
	assert_true(counts->complete);
	part = sum(counts->lanes[TUI_LANE_EVENTS], 60);
	assert_int_equal(tui_data_counts(d, 0, UINT64_MAX - 1, 1, 0, &counts, &err), 0);
	assert_int_equal(part, counts->lanes[TUI_LANE_EVENTS][0]);
	assert_int_equal(part, c->facts->visible);
	assert_int_equal(tui_data_counts(d, 5, 4, 10, 0, &counts, &err), ERR_USAGE);
	tui_data_close(d);
	drop_place(&p);
}

static void alerts_are_counted_anew_when_there_are_more(void **state)
{
	const struct tui_counts *counts;
	const struct tui_capture *c;
	struct error err = {0};
	struct place p;
	struct tui_data *d;
	char db[160];

	(void)state;
	make_place(&p, "network.scap", 0);
	snprintf(db, sizeof(db), "%s/case.db", p.dir);
	assert_int_equal(write_case(p.capture, db, &err), 0);
	d = open_case(db, NULL, &err);
	assert_non_null(d);
	c = tui_data_capture(d);
	add_alert(db, 1, c->first_ts);
	add_alert(db, 2, c->last_ts);
	(void)tui_data_poll(d);
	assert_int_equal(tui_data_counts(d, c->first_ts, c->last_ts, 10, 0, &counts, &err), 0);
	assert_int_equal(counts->lanes[TUI_LANE_ALERTS][0], 1);
	assert_int_equal(counts->lanes[TUI_LANE_ALERTS][9], 1);
	add_alert(db, 3, c->first_ts);
	(void)tui_data_poll(d);
	assert_int_equal(tui_data_counts(d, c->first_ts, c->last_ts, 10, 0, &counts, &err), 0);
	assert_int_equal(counts->lanes[TUI_LANE_ALERTS][0], 2);
	tui_data_close(d);
	drop_place(&p);
}

/* --- one event */

struct looked {
	uint64_t num;
	unsigned calls;
};

static void look(void *arg, const struct state *st, const struct state_binding *b)
{
	struct looked *l = arg;

	assert_int_equal(state_stats(st)->events, b->ev->num);
	l->num = b->ev->num;
	l->calls++;
}

static void an_event_is_looked_at(void **state)
{
	static const uint64_t nums[] = {1, 2, 3, 900, 901, 5, 1400, 700, 701};
	struct error err = {0};
	struct looked l = {0};
	struct place p;
	struct tui_data *d;

	(void)state;
	make_place(&p, "intrusion.scap", 700);
	d = open_wait(&p);
	for (size_t i = 0; i < COUNT_OF(nums); i++) {
		assert_int_equal(tui_data_event(d, nums[i], look, &l, &err), 0);
		assert_int_equal(l.num, nums[i]);
		assert_int_equal(l.calls, i + 1);
	}
	assert_int_equal(tui_data_event(d, 0, look, &l, &err), ERR_USAGE);
	assert_int_equal(tui_data_event(d, UINT64_MAX, look, &l, &err), ERR_USAGE);
	assert_int_equal(tui_data_event(d, 7, look, &l, &err), 0);
	tui_data_close(d);
	drop_place(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_case_knows_where_its_captures_are),
	    cmocka_unit_test(what_people_say_is_added),
	    cmocka_unit_test(what_is_no_case_is_refused),
	    cmocka_unit_test(index_and_alerts_come_by_themselves),
	    cmocka_unit_test(without_a_cache_too),
	    cmocka_unit_test(closing_at_once_is_fine),
	    cmocka_unit_test(a_capture_that_goes_away_is_an_error),
	    cmocka_unit_test(two_captures_take_turns),
	    cmocka_unit_test(what_was_cancelled_begins_anew_when_it_is_looked_at),
	    cmocka_unit_test(counts_are_those_of_a_walk),
	    cmocka_unit_test(alerts_are_counted_anew_when_there_are_more),
	    cmocka_unit_test(an_event_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
