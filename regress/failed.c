/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/failed.h"

#include <errno.h>
#include <stdlib.h>

#include "base/map.h"
#include "regress/files.h"

static int take_lines(struct reg_failed *f, struct sv text)
{
	size_t lines = 1;

	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	f->list.items = arena_zalloc(&f->arena, lines, sizeof(*f->list.items));
	if (!f->list.items)
		return ERR_NOMEM;
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;

		if (n) {
			f->list.items[f->list.count] = arena_strndup(&f->arena, text.p, n);
			if (!f->list.items[f->list.count++])
				return ERR_NOMEM;
		}
		text = sv_drop(text, n + 1);
	}
	return 0;
}

int reg_failed_read(struct reg_failed *f, const char *path, struct error *err)
{
	struct error inner = {0};
	struct buf text = {0};
	int rc = reg_file_read(path, REG_ALERT_FILE_MAX, &text, &inner);

	*f = (struct reg_failed){0};
	if (rc == ERR_IO && inner.sys == ENOENT)
		rc = 0;
	else if (rc < 0 && err)
		*err = inner;
	if (rc == 0 && take_lines(f, buf_view(&text)) < 0)
		rc = error_nomem(err);
	buf_done(&text);
	if (rc < 0)
		reg_failed_done(f);
	return rc;
}

void reg_failed_done(struct reg_failed *f)
{
	arena_done(&f->arena);
	*f = (struct reg_failed){0};
}

static bool did_fail(const struct reg_result *r)
{
	return r->verdict.outcome == REG_FAILED || r->verdict.outcome == REG_BROKEN;
}

/* Notes which were run, for those that were not: *@seen has their real paths as keys. */
static int add_results(struct reg_suite *s, struct arena *a, struct smap *seen, struct buf *text)
{
	struct reg_result *all;
	size_t n;

	all = reg_suite_results(s, &n);
	for (size_t i = 0; i < n; i++) {
		char *real = realpath(all[i].test.path, NULL);
		struct sv key = real ? arena_sv(a, sv_of(real)) : SV_NONE;

		free(real);
		if (!real || memchr(key.p ? key.p : "\n", '\n', key.n ? key.n : 1))
			continue; /* no test, or a name that no line can hold */
		if (smap_get(seen, key))
			continue;
		if (smap_put(seen, key, &all[i]) < 0)
			return ERR_NOMEM;
		if (did_fail(&all[i])) {
			buf_sv(text, key);
			buf_char(text, '\n');
		}
	}
	return 0;
}

int reg_failed_write(const struct reg_failed *f, const char *path, struct reg_suite *s,
		     struct error *err)
{
	struct arena arena = {0};
	struct smap seen = {0};
	struct buf text = {0};
	int rc = add_results(s, &arena, &seen, &text);

	for (size_t i = 0; i < f->list.count && rc == 0; i++) {
		if (smap_get(&seen, sv_of(f->list.items[i])))
			continue;
		buf_str(&text, f->list.items[i]);
		buf_char(&text, '\n');
	}
	if (rc < 0 || text.failed)
		rc = error_nomem(err);
	else
		rc = reg_file_write(path, buf_view(&text), err);
	buf_done(&text);
	smap_done(&seen);
	arena_done(&arena);
	return rc;
}
