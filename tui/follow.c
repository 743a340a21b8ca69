/* SPDX-License-Identifier: Apache-2.0 */
/* What was read and written through a descriptor, as text or in hex. */
#include <stdlib.h>
#include <string.h>

#include "tui/command_line.h"
#include "tui/filter.h"
#include "tui/lines.h"
#include "tui/payload.h"

#define NAME_WIDTH    8
#define TIME_DECIMALS 6

struct follow_view {
	struct tui_view v;
	struct tui_app *app;
	/* What is followed, once it is known. */
	bool known;
	int64_t pid, fd;
	uint64_t num; /* an event about it; 0: the descriptor @fd of @pid at T */
	struct buf name;
	bool by_name; /* of whatever number */
	struct tui_payload payload;
	struct tui_lines lines;
	struct tui_table *table;
	bool hex, placed;
	size_t shown; /* transfers that are lines */
	int width;
};

static struct follow_view *of(struct tui_view *v)
{
	return (struct follow_view *)(void *)v;
}

/* --- which descriptor --- */

/* Connections and terminals are the same thing under any number. */
static bool is_by_name(const struct state_fd *fd)
{
	struct sv name = state_sv(fd->name);

	return state_fd_is_ipv4(fd) || state_fd_is_ipv6(fd) ||
	       sv_starts(name, SV_LIT("/dev/pts/")) || sv_starts(name, SV_LIT("/dev/tty"));
}

static void take_fd(struct follow_view *f, const struct state_fd *fd)
{
	f->known = true;
	f->fd = fd->num;
	f->by_name = is_by_name(fd) && fd->name;
	buf_reset(&f->name);
	buf_sv(&f->name, state_sv(fd->name));
}

static void look(void *arg, const struct state *st, const struct state_binding *b)
{
	struct follow_view *f = arg;

	(void)st;
	if (!b->thread || !b->fd)
		return;
	f->pid = b->thread->pid;
	take_fd(f, b->fd);
}

static int find_fd(struct follow_view *f, struct error *err)
{
	struct tui_data *d = tui_app_data(f->app);
	const struct tui_moment *m;
	const struct state_thread *t;
	const struct state_fd *fd;
	int rc;

	if (f->num) {
		rc = tui_data_event(d, f->num, look, f, err);
		if (rc == 0 && !f->known)
			rc = error_set(err, ERR_USAGE,
				       "event %llu is about no descriptor that could be followed",
				       (unsigned long long)f->num);
		return rc;
	}
	rc = tui_data_moment(d, &m, err);
	if (rc < 0)
		return rc;
	t = state_thread_find(m->state, f->pid);
	fd = t ? state_fd_find(t, f->fd) : NULL;
	if (!fd)
		return error_set(err, ERR_USAGE, "process %lld has no descriptor %lld at this time",
				 (long long)f->pid, (long long)f->fd);
	take_fd(f, fd);
	return 0;
}

static int begin(struct follow_view *f, struct error *err)
{
	struct buf condition = {0};
	uint64_t num = tui_data_time_key(tui_app_data(f->app));
	int rc;

	buf_lit(&condition, "evt.is_io = true");
	if (!f->by_name)
		buf_addf(&condition, " and fd.num = %lld", (long long)f->fd);
	if (f->name.len) {
		buf_lit(&condition, " and fd.name = ");
		tui_filter_quote(&condition, buf_view(&f->name));
	}
	rc = condition.failed
		 ? error_nomem(err)
		 : tui_payload_begin(&f->payload, f->app, buf_view(&condition), f->pid, num, err);
	buf_done(&condition);
	return rc;
}

/* --- beginning, end --- */

static void close_follow(struct tui_view *v)
{
	struct follow_view *f = of(v);

	tui_table_free(f->table);
	tui_lines_done(&f->lines);
	tui_payload_done(&f->payload);
	buf_done(&f->name);
	free(f);
}

static int open_follow(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		       struct error *err)
{
	static const struct tui_column columns[] = {
	    {"way", "", NAME_WIDTH, 0, TUI_COLUMN_NO_SORT, "written or read; offset"},
	    {"data", "DATA", 20, 0, TUI_COLUMN_NO_SORT | TUI_COLUMN_REST, "what passed"},
	};
	struct follow_view *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return error_nomem(err);
	f->app = app;
	f->pid = t->pid;
	f->fd = t->has_fd ? t->fd : -1;
	f->num = t->has_fd && t->pid > 0 ? 0 : t->num;
	f->width = 80;
	tui_lines_init(&f->lines);
	rc = !f->num && f->fd < 0
		 ? error_set(err, ERR_USAGE, "there is no descriptor here to be followed")
		 : find_fd(f, err);
	if (rc == 0)
		rc = tui_table_new(app, columns, COUNT_OF(columns), &tui_list_ops, &f->lines.list,
				   &f->table, err);
	if (rc < 0)
		close_follow(&f->v);
	else
		*out = &f->v;
	return rc;
}

/* --- lines --- */

static void add_head(struct follow_view *f, const struct tui_transfer *x, uint64_t before)
{
	const struct tui_screen screen = {.ascii = tui_app_is_ascii(f->app)};
	struct buf b = {0}, way = {0};
	const char *error = x->count < 0 ? flt_errno_name((int)-x->count) : NULL;

	buf_str(&way, tui_glyph(&screen, x->out ? TUI_GLYPH_ARROW : TUI_GLYPH_BACK_ARROW));
	buf_str(&way, x->out ? " write" : " read");
	tui_app_time(f->app, &b, x->ts, before, TIME_DECIMALS);
	if (x->count < 0)
		buf_addf(&b, "  failed: %s", error ? error : "?");
	else
		buf_addf(&b, "  %lld bytes", (long long)x->count);
	if (x->count > 0 && (uint64_t)x->count > x->data.n)
		buf_addf(&b, ", %zu recorded", x->data.n);
	buf_addf(&b, "  #%llu  fd %lld", (unsigned long long)tui_key_num(x->num), (long long)x->fd);
	tui_lines_add(&f->lines, x->num, x->out ? TUI_ROLE_LINK : TUI_ROLE_GOOD, buf_view(&way),
		      x->count < 0 ? TUI_ROLE_ERROR : TUI_ROLE_DIM, buf_view(&b));
	buf_done(&b);
	buf_done(&way);
}

static int make_lines(struct follow_view *f, struct error *err)
{
	const struct tui_payload *p = &f->payload;
	int rc;

	tui_lines_reset(&f->lines);
	f->lines.width = f->width - NAME_WIDTH - 3;
	f->shown = 0;
	for (size_t i = 0; i < p->count; i++) {
		const struct tui_transfer *x = &p->all[i];

		if (!x->looked)
			continue;
		add_head(f, x, i ? p->all[i - 1].ts : 0);
		if (f->hex)
			tui_lines_add_hex(&f->lines, x->num, TUI_ROLE_NORMAL, SV_NONE, x->data);
		else
			tui_lines_add_text(&f->lines, x->num, TUI_ROLE_NORMAL, SV_NONE, x->data);
		f->shown++;
	}
	rc = tui_lines_end(&f->lines, err);
	return rc < 0 ? rc : tui_table_refresh(f->table, err);
}

/* The cursor goes to the last transfer up to T. */
static void place(struct follow_view *f)
{
	const struct tui_payload *p = &f->payload;
	const uint64_t num = tui_data_time_key(tui_app_data(f->app));
	size_t i = 0;

	while (i + 1 < p->count && p->all[i + 1].num <= num)
		i++;
	if (i < p->count)
		tui_table_seek(f->table, (struct tui_row_key){.a = p->all[i].num});
	f->placed = true;
}

static int sync_follow(struct tui_view *v, unsigned news, struct error *err)
{
	struct follow_view *f = of(v);
	struct tui_live_now now;
	int rc = 0;

	if (f->payload.events && news & TUI_NEWS_CAPTURE &&
	    tui_data_live(tui_app_data(v->app), &now)) {
		tui_payload_go_on(&f->payload);
	} else if (!f->payload.events || news & TUI_NEWS_CAPTURE) {
		rc = begin(f, err);
		f->placed = false;
	} else if (f->payload.trouble.code) {
		*err = f->payload.trouble;
		return err->code;
	}
	if (rc == 0 && (news & TUI_NEWS_TIME || f->payload.looked != f->shown))
		rc = make_lines(f, err);
	if (rc == 0 && news & TUI_NEWS_TIME && f->placed)
		place(f);
	return rc;
}

static bool work_follow(struct tui_view *v, uint64_t deadline_ns)
{
	struct follow_view *f = of(v);
	bool more = tui_payload_work(&f->payload, v->app, deadline_ns);
	struct error err = {0};

	if (f->payload.trouble.code) {
		v->news |= TUI_NEWS_PROGRESS;
	} else if (f->payload.looked != f->shown) {
		if (make_lines(f, &err) < 0)
			tui_app_fail(v->app, &err);
	}
	if (!more && !f->placed)
		place(f);
	return more;
}

/* --- keys --- */

static enum tui_result act_follow(struct tui_view *v, const struct tui_command *c)
{
	struct follow_view *f = of(v);
	struct tui_row_key key;
	struct error err = {0};

	switch (c->action) {
	case TUI_DO_ENTER:
		if (tui_table_cursor(f->table, &key)) {
			const struct tui_target t = {.num = key.a};

			tui_app_push(v->app, &tui_event_ops, &t);
		}
		return TUI_DONE;
	case TUI_DO_NEXT_PANE:
	case TUI_DO_PREV_PANE:
		f->hex = !f->hex;
		if (make_lines(f, &err) < 0)
			tui_app_fail(v->app, &err);
		return TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

/* --- drawing, words --- */

static void draw_head(struct follow_view *f, const struct tui_area *a)
{
	const struct tui_payload *p = &f->payload;
	int x = tui_printf(a, 0, 1, TUI_ROLE_NORMAL, "process %lld, ", (long long)f->pid) + 1;

	x += f->by_name
		 ? tui_puts(a, 0, x, TUI_ROLE_NORMAL, "all descriptors of ")
		 : tui_printf(a, 0, x, TUI_ROLE_NORMAL, "descriptor %lld ", (long long)f->fd);
	x += tui_put(a, 0, x, a->width - x - 24, TUI_ROLE_LINK, buf_view(&f->name)) + 2;
	if (!p->done || p->looked < p->count)
		tui_printf(a, 0, x, TUI_ROLE_DIM, "looking: %zu", p->looked);
	else
		tui_printf(a, 0, x, TUI_ROLE_DIM, "%s%zu transfers%s", p->more_before ? ".. " : "",
			   p->count, p->more ? " .." : "");
}

static void draw_follow(struct tui_view *v, const struct tui_area *a)
{
	struct follow_view *f = of(v);
	struct tui_area below = tui_area_part(a, 1, 0, a->height - 1, a->width);
	struct tui_row_key key;
	struct error err = {0};

	if (a->width != f->width) {
		f->width = a->width;
		if (make_lines(f, &err) < 0)
			tui_app_fail(v->app, &err);
	}
	draw_head(f, a);
	tui_table_draw(f->table, &below, true);
	if (!tui_table_cursor(f->table, &key) && f->payload.done) {
		struct tui_area line = tui_area_part(&below, 1, 0, 1, a->width);

		tui_fill(&line, TUI_ROLE_NORMAL);
		tui_puts(&below, 1, 1, TUI_ROLE_DIM,
			 "Nothing was read or written through it in this capture.");
	}
}

static void click_follow(struct tui_view *v, const struct tui_input *in, const struct tui_area *a)
{
	struct tui_area below = tui_area_part(a, 1, 0, a->height - 1, a->width);

	tui_table_click(of(v)->table, in, &below);
}

static void crumb_follow(struct tui_view *v, struct buf *out)
{
	struct follow_view *f = of(v);

	buf_addf(out, "Follow fd %lld, %s", (long long)f->fd, f->hex ? "hex" : "text");
}

static void command_follow(struct tui_view *v, struct buf *out)
{
	struct follow_view *f = of(v);
	struct buf condition = {0};

	buf_addf(&condition, "proc.pid = %lld and ", (long long)f->pid);
	buf_sv(&condition, buf_view(&f->payload.condition));
	buf_lit(out, "scapula events -F");
	tui_command_word(out, buf_view(&condition));
	buf_addf(out, " -p '%%evt.num %%evt.io_dir %%evt.buffer' --buffers %s",
		 f->hex ? "hexascii" : "ascii");
	tui_command_capture(v->app, out);
	buf_done(&condition);
}

static struct tui_table *table_of(struct tui_view *v)
{
	return of(v)->table;
}

static const uint8_t actions[] = {TUI_DO_NEXT_PANE, TUI_DO_ENTER,     TUI_DO_SEARCH,
				  TUI_DO_EXPORT,    TUI_DO_TIME_FORM, TUI_NO_ACTION};

const struct tui_view_ops tui_follow_ops = {
    .name = "follow",
    .title = "Follow",
    .help =
	"What the process read and wrote through a descriptor, before and after T, as far as the "
	"capture has the bytes: the recorder keeps the beginning of each call's data only. Tab "
	"switches between text and hex; Enter shows the event. Of a connection or a terminal, all "
	"descriptors that lead to it are followed.",
    .actions = actions,
    .open = open_follow,
    .close = close_follow,
    .sync = sync_follow,
    .draw = draw_follow,
    .act = act_follow,
    .work = work_follow,
    .crumb = crumb_follow,
    .command = command_follow,
    .click = click_follow,
    .table = table_of,
};
