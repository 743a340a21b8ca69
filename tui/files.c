/* SPDX-License-Identifier: Apache-2.0 */
/* Files: descriptors that are open at T, and paths that were touched until then. */
#include <stdlib.h>

#include "base/clock.h"
#include "engine/activity/words.h"
#include "tui/command_line.h"
#include "tui/files_model.h"
#include "tui/filter.h"
#include "tui/pane.h"

#define SYNC_NS 50000000ull /* of a long list, before it is shown as far as it goes */

enum tab { OPEN, TOUCHED, TABS };

struct files {
	struct tui_view base;
	struct tui_open open;
	struct tui_touched touched;
	struct tui_table *tables[TABS];
	enum tab tab;
	unsigned news[TABS];	/* that the tab has not seen yet */
	struct error no_moment; /* why nothing is known of T; code 0: it is known */
};

static struct files *of(struct tui_view *v)
{
	return (struct files *)v;
}

static void close_files(struct tui_view *v)
{
	struct files *f = of(v);

	for (int i = 0; i < TABS; i++)
		tui_table_free(f->tables[i]);
	tui_open_done(&f->open);
	tui_touched_done(&f->touched);
	free(f);
}

static int open_files(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		      struct error *err)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(app));
	struct files *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return error_nomem(err);
	if (c && !c->there)
		f->tab = TOUCHED; /* which the case knows */
	tui_open_init(&f->open, app, t->pid);
	tui_touched_init(&f->touched, app, t->pid);
	rc = tui_table_new(app, tui_open_columns, TUI_OPEN_COLUMNS, &tui_list_ops, &f->open.list,
			   &f->tables[OPEN], err);
	if (rc == 0)
		rc = tui_table_new(app, tui_touched_columns, TUI_TOUCHED_COLUMNS, &tui_list_ops,
				   &f->touched.list, &f->tables[TOUCHED], err);
	if (rc < 0)
		close_files(&f->base);
	else
		*out = &f->base;
	return rc;
}

/* --- bringing it to T */

/* Return: as tui_open_work(). */
static int go_on(struct files *f, uint64_t deadline_ns, struct error *err)
{
	bool open = f->tab == OPEN;
	int more = open ? tui_open_work(&f->open, deadline_ns, err)
			: tui_touched_work(&f->touched, deadline_ns, err);
	int rc = more < 0 ? more
			  : tui_pane_update(open ? &f->open.list : &f->touched.list,
					    f->tables[f->tab], err);

	return rc < 0 ? rc : more;
}

static bool is_working(const struct files *f)
{
	return f->tab == OPEN ? f->open.at < f->open.thread_count : f->touched.stmt != NULL;
}

/* Without a moment there is the other tab, which needs none. */
static int begin_open(struct files *f, struct error *err)
{
	int rc = tui_open_begin(&f->open, &f->no_moment);

	if (rc == 0)
		f->no_moment = (struct error){0};
	else if (f->no_moment.code != ERR_UNSUPPORTED)
		return error_set(err, rc, "%s", f->no_moment.msg);
	return 0;
}

static int sync_files(struct tui_view *v, unsigned news, struct error *err)
{
	const unsigned moves = TUI_NEWS_TIME | TUI_NEWS_CAPTURE | TUI_NEWS_INDEX;
	struct files *f = of(v);
	int rc = 0;

	for (int i = 0; i < TABS; i++)
		f->news[i] |= news;
	news = f->news[f->tab];
	f->news[f->tab] = 0;
	if (f->tab == OPEN && news & moves)
		rc = begin_open(f, err);
	if (f->tab == TOUCHED && news & (TUI_NEWS_CASE | TUI_NEWS_CAPTURE))
		rc = tui_touched_begin(&f->touched, err);
	if (f->tab == TOUCHED && rc == 0)
		rc = tui_touched_at(&f->touched, err);
	if (rc == 0 && news & (moves | TUI_NEWS_CASE))
		rc = go_on(f, clock_ns(CLOCK_MONOTONIC) + SYNC_NS, err);
	if (rc < 0) /* to be tried again */
		f->news[f->tab] |= news;
	return rc < 0 ? rc : 0;
}

static bool work_files(struct tui_view *v, uint64_t deadline_ns)
{
	struct files *f = of(v);
	struct error err = {0};
	int rc = is_working(f) ? go_on(f, deadline_ns, &err) : 0;

	if (rc < 0)
		tui_app_fail(v->app, &err);
	return rc > 0;
}

/* --- drawing */

static void title_of(struct files *f, struct buf *b)
{
	uint64_t left_out = f->tab == OPEN ? f->open.left_out : f->touched.left_out;
	size_t shown = f->tab == OPEN ? f->open.list.shown : f->touched.list.shown;

	buf_str(b, f->tab == OPEN ? "[open at T] touched   " : "open at T [touched]   ");
	tui_count(b, shown);
	buf_str(b, f->tab == OPEN ? " held" : " paths by T; amounts of all the capture");
	if (f->open.pid)
		buf_addf(b, "   process %lld", (long long)f->open.pid);
	if (is_working(f))
		buf_lit(b, "   ...");
	if (left_out) {
		buf_lit(b, "   ");
		tui_count(b, left_out);
		buf_lit(b, " more: a filter brings them");
	}
}

static const char *why_empty(struct files *f)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(f->base.app));
	struct buf busy = {0};
	const char *why = NULL;

	if (is_working(f) || (f->tab == OPEN ? f->open.list.shown : f->touched.list.shown))
		return NULL;
	if (f->tab == OPEN && f->no_moment.code)
		why = f->no_moment.msg;
	else if (f->base.filter.len)
		why = "nothing passes the filter; an empty filter shows all";
	else if (f->tab == OPEN)
		why = f->open.pid ? "the process holds nothing at this moment, or is not there"
				  : "nothing is open at this moment: go back in time, or on";
	else if (tui_data_is_busy(tui_app_data(f->base.app), &busy))
		why = "what happened to files is being read from the capture";
	else
		why = c && f->touched.list.count
			  ? "no file was touched until this moment; go on in time"
			  : "the case has nothing about files of this capture";
	buf_done(&busy);
	return why;
}

static void draw_files(struct tui_view *v, const struct tui_area *a)
{
	struct files *f = of(v);
	struct buf title = {0};

	title_of(f, &title);
	tui_pane_draw(f->tables[f->tab], a, buf_view(&title), why_empty(f));
	buf_done(&title);
}

static void click_files(struct tui_view *v, const struct tui_input *in, const struct tui_area *a)
{
	tui_pane_click(of(v)->tables[of(v)->tab], in, a);
}

/* --- doing */

static bool target_of(struct files *f, struct tui_target *t)
{
	struct tui_data *d = tui_app_data(f->base.app);
	const struct tui_open_row *r;
	const struct tui_moment *m;
	const struct act_proc *p;
	struct tui_row_key key;
	struct error err;

	if (!tui_table_cursor(f->tables[OPEN], &key) || tui_data_moment(d, &m, &err) < 0)
		return false;
	r = tui_open_find(&f->open, key);
	if (!r)
		return false;
	p = act_procs_of(m->procs, r->t);
	*t = (struct tui_target){
	    .pid = act_pid(r->t), .proc_key = p ? p->key : 0, .has_fd = r->fd != NULL};
	t->fd = r->fd ? r->fd->num : -1;
	return true;
}

static void enter(struct files *f)
{
	struct tui_target t = {0};
	const struct tui_touched_row *r;
	struct tui_row_key key;

	if (f->tab == OPEN) {
		if (target_of(f, &t))
			tui_app_push(f->base.app, &tui_process_ops, &t);
		return;
	}
	if (!tui_table_cursor(f->tables[TOUCHED], &key))
		return;
	r = tui_touched_find(&f->touched, key);
	if (!r)
		return;
	t.text = r->path;
	tui_app_push(f->base.app, &tui_file_ops, &t);
}

static void follow(struct files *f)
{
	struct tui_target t = {0};

	if (f->tab == OPEN && target_of(f, &t) && t.has_fd)
		tui_app_push(f->base.app, &tui_follow_ops, &t);
	else
		tui_app_say(f->base.app, TUI_ROLE_NOTICE,
			    "only what goes through an open descriptor can be followed");
}

static enum tui_result act_files(struct tui_view *v, const struct tui_command *c)
{
	struct files *f = of(v);

	switch (c->action) {
	case TUI_DO_NEXT_PANE:
	case TUI_DO_PREV_PANE:
		f->tab = (enum tab)((f->tab + 1) % TABS);
		v->news |= TUI_NEWS_PROGRESS; /* and what it has missed */
		return TUI_DONE;
	case TUI_DO_ENTER:
		enter(f);
		return TUI_DONE;
	case TUI_DO_FOLLOW_FD:
		follow(f);
		return TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

static int filter_files(struct tui_view *v, struct sv text, size_t *pos, struct error *err)
{
	struct tui_state_filter *open = NULL, *touched = NULL;
	struct files *f = of(v);
	int rc = tui_state_filter_new(text, TUI_FD_CLASSES, &open, pos, err);

	if (rc == 0)
		rc = tui_state_filter_new(text, TUI_FD_CLASSES, &touched, pos, err);
	if (rc < 0) {
		tui_state_filter_free(open);
		return rc;
	}
	tui_state_filter_free(f->open.filter);
	tui_state_filter_free(f->touched.filter);
	f->open.filter = open;
	f->touched.filter = touched;
	return 0;
}

static void command_files(struct tui_view *v, struct buf *out)
{
	struct files *f = of(v);

	if (f->tab == TOUCHED) {
		const char *path = tui_data_case_path(tui_app_data(v->app));

		if (!path)
			return;
		buf_lit(out, "scapula query");
		tui_command_word(out, sv_of(path));
		tui_command_word(out, SV_LIT("SELECT * FROM files ORDER BY last_ts DESC"));
		return;
	}
	tui_command_at(v->app, "fds", out);
	if (f->open.pid)
		buf_addf(out, " --pid %lld", (long long)f->open.pid);
	tui_command_filter(v, out);
	tui_command_capture(v->app, out);
}

static struct tui_table *table_of_files(struct tui_view *v)
{
	return of(v)->tables[of(v)->tab];
}

static const uint8_t files_actions[] = {
    TUI_DO_ENTER,  TUI_DO_NEXT_PANE, TUI_DO_FOLLOW_FD, TUI_DO_FILTER,
    TUI_DO_SEARCH, TUI_DO_FREQUENCY, TUI_NO_ACTION,
};

static const struct tui_filter_language language = {
    .word = "(proc.name icontains $ or proc.cmdline icontains $ or fd.name icontains $)",
    .classes = TUI_FD_CLASSES,
};

const struct tui_view_ops tui_files_ops = {
    .name = "files",
    .title = "Files",
    .help = "Two lists, one at a time. Open at T: the descriptors of all processes, with working "
	    "directories (cwd), roots (rtd) and images (txt); Enter opens the process, following "
	    "shows what went through a descriptor. Touched: paths that were seen by T, the ones "
	    "used last first; DID has a letter for each kind of use: o opened, c created, r read, "
	    "w written, n renamed, d deleted, x executed, ! refused; Enter shows who did what to "
	    "the file. Filters are conditions over fd., proc., user. and container. fields.",
    .actions = files_actions,
    .open = open_files,
    .close = close_files,
    .sync = sync_files,
    .draw = draw_files,
    .act = act_files,
    .work = work_files,
    .command = command_files,
    .click = click_files,
    .table = table_of_files,
    .filter = filter_files,
    .language = &language,
};
