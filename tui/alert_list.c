/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alert_list.h"

struct tui_row_key tui_alert_key(const struct qry_place *p)
{
	return (struct tui_row_key){(uint64_t)p->ts, (uint64_t)p->alert_id};
}

void tui_alert_list_update(struct tui_alert_list *l)
{
	l->rest.valid = false;
	l->counted = false;
}

int tui_alert_list_count(struct tui_alert_list *l, struct error *err)
{
	int rc = 0;

	if (!l->counted)
		rc = qry_browse_count(tui_data_alerts(l->d), &l->query, TUI_LIST_COUNT_MAX,
				      &l->count, &l->exact, err);
	l->counted = rc == 0;
	return rc;
}

static bool same(const struct qry_place *a, const struct qry_place *b)
{
	return a->ts == b->ts && a->alert_id == b->alert_id;
}

static int add_rows(struct tui_alert_list *l, const struct qry_page *page, bool turned,
		    struct tui_rows *out, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < page->count && rc == 0; i++)
		rc =
		    l->row(l->arg, &page->alerts[turned ? page->count - 1 - i : i].place, out, err);
	return rc;
}

/* A search that ends too early goes on where it came to when it is asked for again. */
static int search(struct tui_alert_list *l, struct qry_place at, bool back, size_t n,
		  struct tui_rows *out, struct error *err)
{
	struct qry_place from = at;
	struct qry_page page;
	int rc;

	if (l->rest.valid && l->rest.back == back && same(&l->rest.from, &at))
		from = l->rest.searched;
	rc = qry_browse_page(tui_data_alerts(l->d), &l->query, &from, back,
			     n < QRY_PAGE_MAX ? n : QRY_PAGE_MAX, &page, err);
	if (rc < 0)
		return rc;
	l->rest.valid = page.partly;
	l->rest.back = back;
	l->rest.from = page.count ? page.alerts[back ? 0 : page.count - 1].place : at;
	l->rest.searched = page.searched;
	rc = add_rows(l, &page, l->reverse, out, err);
	return rc < 0 ? rc : page.partly;
}

static int list_page(void *model, enum tui_where where, struct tui_row_key key, size_t n,
		     struct tui_rows *out, struct error *err)
{
	struct tui_alert_list *l = model;
	struct qry_place at = {(int64_t)key.a, (int64_t)key.b};
	bool back = where == TUI_FROM_LAST || where == TUI_BEFORE_KEY;

	if (where == TUI_FROM_FIRST || where == TUI_FROM_LAST)
		at = (struct qry_place){0};
	if (where == TUI_FROM_KEY) /* the place before that one */
		at.alert_id += l->reverse ? 1 : -1;
	return search(l, at, back != l->reverse, n, out, err);
}

static uint64_t list_count(void *model, bool *exact)
{
	struct tui_alert_list *l = model;

	*exact = l->counted && l->exact;
	return l->counted ? l->count : 0;
}

/* How many are in front of it, or that there are many. */
static uint64_t list_before(void *model, struct tui_row_key key)
{
	struct tui_alert_list *l = model;
	struct qry_alert_filter f = l->query;
	struct error err;
	uint64_t n = 0;
	bool exact;

	if (!key.a || (f.to && f.to < key.a - 1))
		return 0;
	f.to = key.a - 1; /* those of the very same time are few */
	if (f.from > f.to ||
	    qry_browse_count(tui_data_alerts(l->d), &f, TUI_LIST_BEFORE_MAX, &n, &exact, &err) < 0)
		return 0;
	return l->reverse && l->counted && l->count > n ? l->count - n - 1 : n;
}

static int list_sort(void *model, int column, bool reverse, struct error *err)
{
	struct tui_alert_list *l = model;

	(void)column, (void)err; /* the others cannot be sorted by */
	l->reverse = reverse;
	l->rest.valid = false;
	return 0;
}

const struct tui_model_ops tui_alert_list_ops = {
    .page = list_page, .count = list_count, .before = list_before, .sort = list_sort};
