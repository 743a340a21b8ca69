/* SPDX-License-Identifier: Apache-2.0 */
/* Salvage as a whole: survey, scan, order, writing. */
#include "scapfile/salvage_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *const kind_names[] = {
#define SF_DAMAGE(sym, name, what) [SF_DAMAGE_##sym] = (name),
#include "scapfile/salvage.def"
#undef SF_DAMAGE
};

static const char *const kind_meanings[] = {
#define SF_DAMAGE(sym, name, what) [SF_DAMAGE_##sym] = (what),
#include "scapfile/salvage.def"
#undef SF_DAMAGE
};

const char *sf_damage_name(enum sf_damage_kind kind)
{
	return kind_names[kind];
}

const char *sf_damage_meaning(enum sf_damage_kind kind)
{
	return kind_meanings[kind];
}

static struct sf_damage *damage_room(struct sf_salvage_report *r)
{
	size_t cap = r->cap ? 2 * r->cap : 64;
	struct sf_damage *list;

	if (r->described == SF_DAMAGES_MAX)
		return NULL;
	if (r->described < r->cap)
		return &r->list[r->described++];
	list = realloc(r->list, cap * sizeof(*list));
	if (!list)
		return NULL;
	r->list = list;
	r->cap = cap;
	return &r->list[r->described++];
}

struct sf_damage *salvage_note(struct salvage *s, enum sf_damage_kind kind, const char *fmt, ...)
{
	struct sf_salvage_report *r = s->report;
	struct sf_damage *d = damage_room(r);
	va_list ap;

	r->count++;
	r->by_kind[kind]++;
	if (!d)
		return NULL;
	*d = (struct sf_damage){.kind = kind};
	va_start(ap, fmt);
	vsnprintf(d->what, sizeof(d->what), fmt, ap);
	va_end(ap);
	return d;
}

static int by_place(const void *a, const void *b)
{
	const struct sf_damage *x = a, *y = b;

	if (x->stored != y->stored)
		return x->stored < y->stored ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void salvage_free(struct salvage *s)
{
	free(s->file.buf);
	free(s->extents);
	free(s->sections);
	free(s->sealed);
	free(s->strays);
	free(s->late);
	free(s->moved);
	map_done(&s->late_by_ts);
	map_done(&s->moved_by_offset);
	arena_done(&s->bytes);
}

static int salvage(struct salvage *s, struct sf_writer *w, struct error *err)
{
	int rc = salvage_survey(s, err);

	if (rc >= 0)
		rc = salvage_scan(s, err);
	if (rc >= 0)
		rc = salvage_find_moved(s, err);
	if (rc >= 0)
		rc = salvage_write(s, w, err);
	if (s->report->described)
		qsort(s->report->list, s->report->described, sizeof(*s->report->list), by_place);
	salvage_free(s);
	return rc < 0 ? rc : 0;
}

static const struct sf_salvage_options defaults = {0};

int sf_salvage(int fd, const char *name, const struct sf_salvage_options *opt, struct sf_writer *w,
	       struct sf_salvage_report *out, struct error *err)
{
	struct salvage s = {.opt = opt ? opt : &defaults, .report = out};
	struct stat sb;

	*out = (struct sf_salvage_report){0};
	if (fstat(fd, &sb) < 0)
		return error_sys(err, errno, "cannot look at '%s'", name);
	s.file = (struct salvage_file){.fd = fd, .name = name, .size = (uint64_t)sb.st_size};
	s.file.buf = malloc(SALVAGE_WINDOW);
	return s.file.buf ? salvage(&s, w, err) : error_nomem(err);
}

int sf_salvage_memory(const void *p, size_t n, const struct sf_salvage_options *opt,
		      struct sf_writer *w, struct sf_salvage_report *out, struct error *err)
{
	struct salvage s = {.opt = opt ? opt : &defaults, .report = out};

	*out = (struct sf_salvage_report){0};
	s.file = (struct salvage_file){.fd = -1, .memory = p, .name = "memory", .size = n};
	return salvage(&s, w, err);
}

void sf_salvage_done(struct sf_salvage_report *r)
{
	free(r->list);
	*r = (struct sf_salvage_report){0};
}
