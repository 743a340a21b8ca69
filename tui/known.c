/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/known.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"

#define PRIORITIES  8	 /* of rules */
#define ALERTS_STEP 1024 /* alerts between two looks at the clock */
#define ALERTS_PAGE                                                                                \
	50000 /* alerts of one statement: a reader that stays keeps the log from shrinking */

struct alerts { /* of one process */
	int64_t process_id;
	uint64_t first[PRIORITIES]; /* when the first one of that priority was; 0: none */
	uint64_t first_ts;
	struct alerts *next; /* other processes that had the same number */
};

struct images {
	size_t count;
	struct tui_image list[TUI_IMAGES_MAX];
};

struct tui_known {
	struct tui_data *d;
	int64_t capture_id, reading_id;
	/* Alerts taken in so far. */
	struct arena alert_arena;
	struct map by_pid, by_process; /* -> struct alerts */
	int64_t last_alert;
	bool more;
	uint64_t first_ts, taken; /* of all */
	/* What was asked for, until the case grows. */
	struct arena arena;
	struct map ids;	   /* act_proc.key -> process_id */
	struct map images; /* process_id -> struct images */
};

int tui_known_new(struct tui_data *d, struct tui_known **out, struct error *err)
{
	struct tui_known *k = calloc(1, sizeof(*k));

	if (!k)
		return error_nomem(err);
	k->d = d;
	*out = k;
	return 0;
}

static void forget_answers(struct tui_known *k)
{
	map_clear(&k->ids);
	map_clear(&k->images);
	arena_reset(&k->arena);
}

static void forget_alerts(struct tui_known *k)
{
	map_clear(&k->by_pid);
	map_clear(&k->by_process);
	arena_reset(&k->alert_arena);
	k->last_alert = 0;
	k->first_ts = 0;
	k->taken = 0;
}

void tui_known_free(struct tui_known *k)
{
	if (!k)
		return;
	map_done(&k->by_pid);
	map_done(&k->by_process);
	map_done(&k->ids);
	map_done(&k->images);
	arena_done(&k->alert_arena);
	arena_done(&k->arena);
	free(k);
}

/* --- asking --- */

sqlite3_stmt *tui_ask(struct tui_data *d, const char *sql, struct error *err)
{
	sqlite3 *db = tui_data_case(d);
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		error_set(err, ERR_DB, "the case: %s", sqlite3_errmsg(db));
	return s;
}

bool tui_ask_next(sqlite3_stmt *s)
{
	return s && sqlite3_step(s) == SQLITE_ROW;
}

struct sv tui_ask_text(sqlite3_stmt *s, int column)
{
	const unsigned char *p = sqlite3_column_text(s, column);

	return p ? sv_make(p, (size_t)sqlite3_column_bytes(s, column)) : SV_NONE;
}

static int64_t reading_of(struct tui_known *k, int64_t capture_id)
{
	sqlite3_stmt *s =
	    tui_ask(k->d, "SELECT reading_id FROM captures WHERE capture_id = ?", NULL);
	int64_t id = 0;

	sqlite3_bind_int64(s, 1, capture_id);
	if (tui_ask_next(s))
		id = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return id;
}

void tui_known_news(struct tui_known *k, unsigned news)
{
	const struct tui_capture *c = tui_data_capture(k->d);
	int64_t capture_id = c ? c->capture_id : 0;

	if (!(news & (TUI_NEWS_CASE | TUI_NEWS_CAPTURE)) && capture_id == k->capture_id)
		return;
	forget_answers(k);
	if (capture_id != k->capture_id)
		forget_alerts(k);
	k->capture_id = capture_id;
	k->reading_id = capture_id ? reading_of(k, capture_id) : 0;
	k->more = capture_id != 0;
}

/* --- alerts --- */

static struct alerts *alerts_of(struct tui_known *k, int64_t process_id, int64_t pid)
{
	/* Of alerts whose process is not known, the number must do. */
	uint64_t key = process_id ? (uint64_t)process_id : (uint64_t)pid | 1ull << 63;
	struct alerts *a = map_get(&k->by_process, key);

	if (a)
		return a;
	a = arena_zalloc(&k->alert_arena, 1, sizeof(*a));
	if (!a || map_put(&k->by_process, key, a) < 0)
		return NULL;
	a->process_id = process_id;
	a->next = map_get(&k->by_pid, (uint64_t)pid);
	return map_put(&k->by_pid, (uint64_t)pid, a) < 0 ? NULL : a;
}

static void take(struct tui_known *k, sqlite3_stmt *s)
{
	int64_t priority = sqlite3_column_int64(s, 4);
	uint64_t ts = (uint64_t)sqlite3_column_int64(s, 3);
	struct alerts *a;

	k->last_alert = sqlite3_column_int64(s, 0);
	k->taken++;
	if (priority < 0 || priority >= PRIORITIES || sqlite3_column_type(s, 2) == SQLITE_NULL)
		return;
	a = alerts_of(k, sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2));
	if (!a)
		return;
	if (!a->first[priority] || ts < a->first[priority])
		a->first[priority] = ts;
	if (!a->first_ts || ts < a->first_ts)
		a->first_ts = ts;
	if (!k->first_ts || ts < k->first_ts)
		k->first_ts = ts;
}

bool tui_known_work(struct tui_known *k, uint64_t deadline_ns)
{
	static const char sql[] = "SELECT a.alert_id, a.process_id, a.pid, a.ts, a.priority"
				  " FROM alerts a JOIN run_captures r USING (run_capture_id)"
				  " WHERE a.alert_id > ?1 AND r.capture_id = ?2"
				  " AND a.repeats IS NULL ORDER BY a.alert_id LIMIT ?3";

	while (k->more) {
		sqlite3_stmt *s = tui_ask(k->d, sql, NULL);
		bool late = false;
		unsigned n = 0;

		sqlite3_bind_int64(s, 1, k->last_alert);
		sqlite3_bind_int64(s, 2, k->capture_id);
		sqlite3_bind_int64(s, 3, ALERTS_PAGE);
		while (!late && tui_ask_next(s)) {
			take(k, s);
			late = ++n % ALERTS_STEP == 0 && deadline_ns &&
			       clock_ns(CLOCK_MONOTONIC) > deadline_ns;
		}
		sqlite3_finalize(s);
		k->more = late || n == ALERTS_PAGE;
		if (late)
			break;
	}
	return k->more;
}

int tui_known_worst(const struct tui_known *k, int64_t pid, uint64_t lived_from, uint64_t lived_to,
		    uint64_t ts)
{
	const struct alerts *a = map_get(&k->by_pid, (uint64_t)pid);
	int worst = -1;

	for (; a; a = a->next) {
		if (a->first_ts < lived_from || (lived_to && a->first_ts > lived_to))
			continue;
		for (int i = 0; i < PRIORITIES; i++)
			if (a->first[i] && a->first[i] <= ts && (worst < 0 || i < worst))
				worst = i;
	}
	return worst;
}

int tui_known_worst_of(const struct tui_known *k, const struct act_node *n, uint64_t ts)
{
	/* The end of a living one is that of a thread. */
	return tui_known_worst(k, n->pid, n->p ? n->p->start_ts : 0, n->t ? 0 : n->p->end_ts, ts);
}

uint64_t tui_known_alerts(const struct tui_known *k)
{
	return k->taken;
}

bool tui_known_any(const struct tui_known *k, uint64_t ts)
{
	return k->first_ts && k->first_ts <= ts;
}

/* --- one process --- */

static int64_t ask_id(struct tui_known *k, int64_t pid, const struct act_proc *p)
{
	static const char sql[] =
	    "SELECT process_id FROM processes WHERE run_capture_id = ?1 AND pid = ?2"
	    " ORDER BY start_evt IS NOT ?3, start_evt DESC LIMIT 1";
	sqlite3_stmt *s = tui_ask(k->d, sql, NULL);
	int64_t id = 0;

	sqlite3_bind_int64(s, 1, k->reading_id);
	sqlite3_bind_int64(s, 2, pid);
	if (p && p->start_evt)
		sqlite3_bind_int64(s, 3, (int64_t)p->start_evt);
	if (tui_ask_next(s))
		id = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return id;
}

int64_t tui_known_id(struct tui_known *k, int64_t pid, const struct act_proc *p)
{
	uint64_t key = p ? p->key : (uint64_t)pid | 1ull << 63;
	uintptr_t known;
	int64_t id;

	if (!k->reading_id)
		return 0;
	known = (uintptr_t)map_get(&k->ids, key);
	if (known)
		return (int64_t)known - 1; /* a map holds no NULL */
	id = ask_id(k, pid, p);
	if (map_put(&k->ids, key, (void *)(uintptr_t)(id + 1)) < 0)
		return id; /* it will be asked for again */
	return id;
}

static struct sv keep(struct tui_known *k, struct sv s)
{
	struct sv kept = s.n ? arena_sv(&k->arena, s) : SV_NONE;

	return kept.p ? kept : SV_NONE;
}

static void ask_images(struct tui_known *k, int64_t id, struct images *im)
{
	/* The image of its beginning is its own if nobody forked to make it. */
	static const char sql[] =
	    "SELECT 0, ifnull(start_ts, 0), ifnull(start_evt, 0), comm, exepath, cmdline"
	    " FROM processes WHERE process_id = ?1 AND origin = 'list'"
	    " UNION ALL SELECT seq, ts, evt_num, comm, exepath, cmdline FROM execs"
	    " WHERE process_id = ?1 ORDER BY 1 LIMIT ?2";
	sqlite3_stmt *s = tui_ask(k->d, sql, NULL);

	sqlite3_bind_int64(s, 1, id);
	sqlite3_bind_int64(s, 2, TUI_IMAGES_MAX);
	while (tui_ask_next(s))
		im->list[im->count++] =
		    (struct tui_image){.ts = (uint64_t)sqlite3_column_int64(s, 1),
				       .evt_num = (uint64_t)sqlite3_column_int64(s, 2),
				       .comm = keep(k, tui_ask_text(s, 3)),
				       .exepath = keep(k, tui_ask_text(s, 4)),
				       .cmdline = keep(k, tui_ask_text(s, 5))};
	sqlite3_finalize(s);
}

size_t tui_known_images(struct tui_known *k, int64_t pid, const struct act_proc *p, uint64_t num,
			const struct tui_image **out)
{
	int64_t id = tui_known_id(k, pid, p);
	struct images *im;
	size_t n = 0;

	if (!id)
		return 0;
	im = map_get(&k->images, (uint64_t)id);
	if (!im) {
		im = arena_zalloc(&k->arena, 1, sizeof(*im));
		if (!im || map_put(&k->images, (uint64_t)id, im) < 0)
			return 0;
		ask_images(k, id, im);
	}
	while (n < im->count && im->list[n].evt_num <= num)
		n++;
	*out = im->list;
	return n;
}
