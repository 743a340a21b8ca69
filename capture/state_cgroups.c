/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "controller=path" of a thread, from D/cgroup: of the old hierarchies each line says it; in the
 * unified one a controller belongs to the deepest level, from the thread's own upwards, that has it
 * enabled.
 */
#include "capture/state_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define CGROUP_FILE_MAX 16384
#define LEVELS_MAX	64
#define CONTROLLERS_MAX 32

/* --- where the unified hierarchy is --- */

/* "29 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw": the mount point, or nothing */
static struct sv unified_mount(struct sv line)
{
	struct sv rest = host_skip_fields(line, 4);
	struct sv at = host_take_field(&rest);

	while (rest.n && !sv_is(host_take_field(&rest), "-"))
		;
	return sv_is(host_take_field(&rest), "cgroup2") ? at : SV_NONE;
}

/* The host's mounts are those of its first process; without a root given, our own are nearer. */
static void find_unified(struct host_run *run)
{
	bool host = run->opt->host_root && *run->opt->host_root;
	struct host_cgroups *c = &run->cgroups;
	struct sv line, at;

	c->looked = true;
	if (host_lines_open(run->lines, run->proc, host ? "1/mountinfo" : "self/mountinfo") < 0)
		return;
	while (!c->unified && host_lines_next(run->lines, &line)) {
		at = unified_mount(line);
		/* Looked up below the root's descriptor: without the slash. */
		if (at.n > 1 && *at.p == '/')
			c->unified = arena_strndup(&run->scratch, at.p + 1, at.n - 1);
	}
	host_lines_close(run->lines);
}

/* --- levels of the unified hierarchy --- */

/* A copy until the end of the run; false, and noted, if there is no memory. */
static bool copy_text(struct host_run *run, struct sv text, struct sv *out)
{
	char *copy = arena_strndup(&run->scratch, text.n ? text.p : "", text.n);

	if (!copy)
		run->nomem = true;
	*out = sv_make(copy, copy ? text.n : 0);
	return copy != NULL;
}

/* The controllers of a level, separated by blanks; kept for this run. */
static struct sv controllers_of(struct host_run *run, struct sv path)
{
	struct host_cgroups *c = &run->cgroups;
	struct sv *known = smap_get(&c->levels, path), key;
	char name[HOST_PATH_MAX], text[1024];
	ssize_t n = -1;

	if (known)
		return *known;
	if (snprintf(name, sizeof(name), "%s%.*s/cgroup.controllers", c->unified, (int)path.n,
		     path.p) < (int)sizeof(name))
		n = host_read_file(run->root, name, text, sizeof(text));
	if (n > 0 && text[n - 1] == '\n')
		n--;
	known = arena_alloc(&run->scratch, sizeof(*known));
	if (!known || !copy_text(run, path, &key) ||
	    !copy_text(run, sv_make(text, n > 0 ? (size_t)n : 0), known) ||
	    smap_put(&c->levels, key, known) < 0) {
		run->nomem = true;
		return SV_NONE;
	}
	return *known;
}

struct list { /* the result being put together */
	char text[HOST_LIST_MAX];
	size_t n;
	struct sv names[CONTROLLERS_MAX]; /* those that have a path */
	unsigned nnames;
};

static void add(struct list *l, struct sv name, struct sv path)
{
	size_t need = name.n + 1 + path.n + 1;

	if (need > sizeof(l->text) - l->n)
		return;
	memcpy(l->text + l->n, name.p, name.n);
	l->text[l->n + name.n] = '=';
	memcpy(l->text + l->n + name.n + 1, path.p, path.n);
	l->n += need;
	l->text[l->n - 1] = 0;
}

static bool has_name(const struct list *l, struct sv name)
{
	for (unsigned i = 0; i < l->nnames; i++)
		if (sv_eq(l->names[i], name))
			return true;
	return false;
}

/* Those of a level that no deeper level had. */
static void add_level(struct list *l, struct sv controllers, struct sv path)
{
	for (struct sv f = host_take_field(&controllers); f.n; f = host_take_field(&controllers)) {
		if (l->nnames == CONTROLLERS_MAX || has_name(l, f))
			continue;
		l->names[l->nnames++] = f;
		add(l, f, path.n ? path : SV_LIT("/"));
	}
}

static struct sv parent_of(struct sv path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	return sv_make(path.p, slash ? (size_t)(slash - path.p) : 0);
}

static bool goes_up(struct sv path)
{
	return sv_contains(path, SV_LIT("/../")) || sv_ends(path, SV_LIT("/.."));
}

static void add_unified(struct host_run *run, struct list *l, struct sv path)
{
	struct host_cgroups *c = &run->cgroups;

	if (!c->looked)
		find_unified(run);
	if (!c->unified || goes_up(path))
		return;
	if (sv_is(path, "/"))
		path.n = 0;
	for (unsigned i = 0; i < LEVELS_MAX && path.n; i++, path = parent_of(path))
		add_level(l, controllers_of(run, path), path);
	add_level(l, controllers_of(run, SV_NONE), SV_NONE);
}

/* --- the file --- */

/* "4:memory:/a", "1:name=systemd:/b", "5:cpu,cpuacct:/c", "0::/d" */
static void add_line(struct host_run *run, struct list *l, struct sv line)
{
	const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
	const char *second;
	struct sv names, path;

	if (!colon)
		return;
	names = sv_drop(line, (size_t)(colon - line.p) + 1);
	second = names.n ? memchr(names.p, ':', names.n) : NULL;
	if (!second)
		return;
	path = sv_drop(names, (size_t)(second - names.p) + 1);
	names.n = (size_t)(second - names.p);
	if (path.n == 0 || *path.p != '/')
		return;
	if (names.n == 0)
		add_unified(run, l, path);
	while (names.n) {
		const char *comma = memchr(names.p, ',', names.n);
		size_t n = comma ? (size_t)(comma - names.p) : names.n;

		add(l, sv_make(names.p, n), path);
		names = sv_drop(names, n + 1);
	}
}

static struct sv *build(struct host_run *run, struct sv text)
{
	struct list l = {.n = 0};
	struct sv *out = arena_alloc(&run->scratch, sizeof(*out));
	struct sv rest = text;

	if (!out)
		return NULL;
	while (rest.n)
		add_line(run, &l, host_take_line(&rest));
	*out = host_keep(run->s, sv_make(l.text, l.n));
	return out;
}

struct sv host_read_cgroups(struct host_run *run, int dir)
{
	char text[CGROUP_FILE_MAX];
	ssize_t n = host_read_file(dir, "cgroup", text, sizeof(text));
	struct sv contents = sv_make(text, n > 0 ? (size_t)n : 0), key;
	struct sv *known;

	if (n < 0)
		run->s->stats.incomplete++;
	if (n <= 0)
		return SV_NONE;
	known = smap_get(&run->cgroups.by_text, contents);
	if (known)
		return *known;
	known = build(run, contents);
	if (!known || !copy_text(run, contents, &key) ||
	    smap_put(&run->cgroups.by_text, key, known) < 0) {
		run->nomem = true;
		return SV_NONE;
	}
	return *known;
}

void host_cgroups_done(struct host_cgroups *c)
{
	smap_done(&c->by_text);
	smap_done(&c->levels);
}
