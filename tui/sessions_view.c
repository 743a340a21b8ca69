/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/sessions_view.h"

#include "tui/pane.h"

static struct tui_sessions_view *of(struct tui_view *v)
{
	return (struct tui_sessions_view *)v;
}

int tui_sessions_view_open(struct tui_sessions_view *v, struct tui_app *app,
			   const struct tui_column *columns, size_t n, struct error *err)
{
	int rc;

	v->source->app = app;
	rc = tui_known_new(tui_app_data(app), &v->source->known, err);
	return rc < 0 ? rc
		      : tui_table_new(app, columns, n, &tui_list_ops, &v->list, &v->table, err);
}

void tui_sessions_view_done(struct tui_sessions_view *v)
{
	tui_table_free(v->table);
	tui_list_done(&v->list);
}

bool tui_sessions_view_is_old(struct tui_sessions_view *v, unsigned news)
{
	tui_known_news(v->source->known, news);
	return (news & ~(unsigned)TUI_NEWS_PROGRESS) ||
	       v->alerts != tui_known_alerts(v->source->known);
}

int tui_sessions_view_made(struct tui_sessions_view *v, int rc, size_t count, struct error *err)
{
	v->alerts = tui_known_alerts(v->source->known);
	v->list.count = count;
	return rc < 0 ? rc : tui_pane_update(&v->list, v->table, err);
}

void tui_sessions_worst(struct tui_rows *out, int worst)
{
	tui_rows_cell(out, tui_severity_role(worst),
		      worst < 0 ? SV_NONE : sv_of(tui_severity_glyph(worst)));
}

bool tui_sessions_view_work(struct tui_view *v, uint64_t deadline_ns)
{
	struct tui_known *k = of(v)->source->known;
	bool more = tui_known_work(k, deadline_ns);

	if (!more && of(v)->alerts != tui_known_alerts(k))
		v->news |= TUI_NEWS_PROGRESS;
	return more;
}

void tui_sessions_view_click(struct tui_view *v, const struct tui_input *in,
			     const struct tui_area *a)
{
	tui_pane_click(of(v)->table, in, a);
}

struct tui_table *tui_sessions_view_table(struct tui_view *v)
{
	return of(v)->table;
}

int tui_sessions_view_filter(struct tui_view *v, struct sv text, size_t *pos, struct error *err)
{
	struct tui_state_filter *f = NULL;
	int rc = tui_state_filter_new(text, ACT_SESSION_CLASSES, &f, pos, err);

	if (rc < 0)
		return rc;
	tui_state_filter_free(of(v)->source->filter);
	of(v)->source->filter = f;
	return 0;
}
