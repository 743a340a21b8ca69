/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alert_preview.h"

#include "tui/wrap.h"

#define NEAR_BUCKETS 40
#define VALUE_LEAST  4 /* columns of a value that are seen at least, or it is left out */

/* --- what is near */

static const struct tui_capture *current(struct tui_data *d)
{
	const struct tui_capture *c = tui_data_capture(d);

	return c && c->there && c->index ? c : NULL;
}

static void take_counts(struct tui_near *n, const struct tui_counts *c)
{
	const uint64_t width = c->buckets ? (c->to - c->from) / c->buckets : 0;

	n->events = n->lost = 0;
	n->distance_ns = UINT64_MAX;
	for (size_t i = 0; i < c->buckets; i++) {
		uint64_t at = c->from + width * i + width / 2;
		uint64_t away = at > n->ts ? at - n->ts : n->ts - at;

		n->events += c->lanes[TUI_LANE_EVENTS][i];
		n->lost += c->lanes[TUI_LANE_LOST][i];
		if (c->lanes[TUI_LANE_LOST][i] && away < n->distance_ns) {
			n->distance_ns = away;
			n->later = at > n->ts;
		}
	}
	n->known = true;
}

bool tui_near_work(struct tui_near *n, struct tui_data *d, uint64_t deadline_ns)
{
	const struct tui_counts *c = NULL;
	struct error err;
	uint64_t from = n->ts > TUI_NEAR_NS ? n->ts - TUI_NEAR_NS : 0;

	if (!n->ts || n->known || n->hopeless || !current(d))
		return false;
	n->hopeless =
	    tui_data_counts(d, from, n->ts + TUI_NEAR_NS, NEAR_BUCKETS, deadline_ns, &c, &err) < 0;
	if (!n->hopeless && c->complete)
		take_counts(n, c);
	return !n->known && !n->hopeless;
}

void tui_near_text(const struct tui_near *n, struct buf *out, bool *gap)
{
	*gap = n->known && n->lost;
	if (!n->known)
		return;
	tui_count(out, n->events);
	buf_str(out, n->events == 1 ? " event within 1s" : " events within 1s");
	if (!n->lost) {
		buf_lit(out, ", nothing lost");
		return;
	}
	buf_lit(out, ", ");
	tui_count(out, n->lost);
	buf_lit(out, " lost ");
	tui_duration(out, n->distance_ns);
	buf_str(out, n->later ? " later" : " earlier");
}

/* --- the alert */

void tui_preview_done(struct tui_alert_preview *p)
{
	arena_done(&p->arena);
	*p = (struct tui_alert_preview){0};
}

int tui_preview_set(struct tui_alert_preview *p, struct tui_data *d, struct tui_alert_reader *r,
		    int64_t id, struct error *err)
{
	int rc;

	arena_reset(&p->arena);
	p->facts = (struct tui_alert_facts){0};
	p->chain_count = p->field_count = 0;
	p->near = (struct tui_near){0};
	if (!id)
		return 0;
	rc = tui_alert_read(r, id, &p->arena, &p->facts, err);
	if (rc == 0)
		rc = tui_alert_chain(d, &p->facts, &p->arena, p->chain, &p->chain_count, err);
	if (rc == 0)
		rc = tui_alert_fields(d, p->facts.fields, &p->arena, p->fields,
				      TUI_ALERT_FIELDS_MAX, &p->field_count, err);
	if (rc < 0) {
		p->facts = (struct tui_alert_facts){0};
		return rc;
	}
	p->near.ts = p->facts.ts;
	p->near.hopeless =
	    !tui_data_capture(d) || tui_data_capture(d)->capture_id != p->facts.capture_id;
	return 0;
}

int tui_chain_put(const struct tui_area *a, int y, int x, int width,
		  const struct tui_ancestor *chain, size_t count)
{
	const char *more = tui_glyph(a->screen, TUI_GLYPH_ELLIPSIS);
	struct buf b = {0};
	size_t from = 0;
	int used;

	for (;; from++) {
		buf_reset(&b);
		buf_str(&b, from ? more : "");
		buf_str(&b, from ? ">" : "");
		tui_chain_text(chain + from, count - from, &b);
		if (from + 1 >= count || tui_width(buf_view(&b)) <= width)
			break;
	}
	used = tui_put(a, y, x, width, TUI_ROLE_LINK, buf_view(&b));
	buf_done(&b);
	return used;
}

static void draw_chain(const struct tui_alert_preview *p, const struct tui_area *a, int y)
{
	const struct tui_alert_facts *f = &p->facts;
	struct buf b = {0};
	int width = 0;

	if (f->user.n)
		tui_alert_who(f, &b);
	if (f->container.n)
		buf_addf(&b, "  in %.*s", (int)f->container.n, f->container.p);
	width = tui_width(buf_view(&b));
	if (width > a->width / 2)
		width = a->width / 2;
	tui_put_right(a, y, a->width - 1 - width, width, TUI_ROLE_DIM, buf_view(&b));
	if (p->chain_count)
		tui_chain_put(a, y, 1, a->width - 4 - width, p->chain, p->chain_count);
	else
		tui_put(a, y, 1, a->width - 4 - width, TUI_ROLE_DIM,
			SV_LIT("its process is not known"));
	buf_done(&b);
}

/* "name=value  name=value"; what the message or the line above does not say anyway comes first. */
static void draw_fields(const struct tui_alert_preview *p, const struct tui_area *a, int y)
{
	int x = 1;

	if (p->facts.exepath.n) {
		x += tui_puts(a, y, x, TUI_ROLE_DIM, "exe ");
		x += tui_put(a, y, x, a->width / 3, TUI_ROLE_NORMAL, p->facts.exepath) + 2;
	}
	for (size_t i = 0; i < p->field_count && x < a->width - 8; i++) {
		const struct tui_alert_field *f = &p->fields[i];

		if (!f->value.n || sv_eq(f->value, p->facts.exepath) ||
		    sv_starts(f->name, SV_LIT("evt.time")) || sv_eq(f->value, p->facts.comm))
			continue;
		if (x + tui_width(f->name) + VALUE_LEAST >= a->width)
			continue; /* a name says nothing by itself */
		x += tui_put(a, y, x, a->width - x - 1, TUI_ROLE_DIM, f->name);
		x += tui_puts(a, y, x, TUI_ROLE_DIM, "=");
		x += tui_put(a, y, x, a->width - x - 1, TUI_ROLE_NORMAL, f->value) + 2;
	}
}

static void draw_near(const struct tui_alert_preview *p, const struct tui_area *a, int y)
{
	struct buf b = {0};
	bool gap = false;
	int x = 1;

	tui_near_text(&p->near, &b, &gap);
	if (!p->near.known && !p->near.hopeless)
		buf_str(&b, tui_glyph(a->screen, TUI_GLYPH_ELLIPSIS));
	if (b.len)
		x += tui_printf(a, y, x, TUI_ROLE_DIM, "%s ",
				tui_glyph(a->screen, gap ? TUI_GLYPH_GAP : TUI_GLYPH_PLUS_MINUS));
	if (b.len)
		x += tui_put(a, y, x, a->width - x - 1, gap ? TUI_ROLE_LOSS : TUI_ROLE_NORMAL,
			     buf_view(&b)) +
		     2;
	buf_reset(&b);
	tui_tags_text(p->facts.tags, &b);
	if (b.len) {
		x += tui_puts(a, y, x, TUI_ROLE_DIM, "tags ");
		tui_put(a, y, x, a->width - x - 1, TUI_ROLE_NORMAL, buf_view(&b));
	}
	buf_done(&b);
}

void tui_preview_draw(const struct tui_alert_preview *p, const struct tui_area *a)
{
	int y = 0;

	if (!p->facts.alert_id)
		return;
	draw_chain(p, a, y++);
	if (a->height > 2)
		draw_fields(p, a, y++);
	if (a->height > 3)
		draw_near(p, a, y++);
	tui_wrap_put(a, y, 1, a->width - 2, TUI_ROLE_NORMAL, p->facts.output);
}
