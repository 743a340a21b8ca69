/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States at moments, kept for as long as they are likely to be asked for again: a join of
 * processes and descriptors asks for the same one once a process.
 */
#include <stdlib.h>
#include <string.h>

#include "sqlext/internal.h"

static void snapshot_free(struct vtab_snapshot *s)
{
	if (!s)
		return;
	vtab_walk_close(&s->walk);
	free(s->path);
	free(s);
}

static bool is_same_file(const struct vtab_snapshot *s, const char *path)
{
	struct sf_identity id;

	return s->identified && sf_identify(path, &id, NULL) == 0 &&
	       memcmp(&id, &s->identity, sizeof(id)) == 0;
}

static bool is_of(const struct vtab_snapshot *s, const char *path, const struct run_moment *m)
{
	return strcmp(s->path, path) == 0 && s->moment.kind == m->kind &&
	       s->moment.value == m->value && s->moment.relative == m->relative &&
	       is_same_file(s, path);
}

static int snapshot_new(struct vtab_conn *conn, const char *path, const struct run_moment *m,
			struct vtab_snapshot **out, struct error *err)
{
	const struct vtab_scope scope = {.last_num = UINT64_MAX, .at = m};
	struct vtab_snapshot *s = calloc(1, sizeof(*s));
	int rc;

	if (s)
		s->path = strdup(path);
	if (!s || !s->path) {
		snapshot_free(s);
		return error_nomem(err);
	}
	s->moment = *m;
	s->identified = strcmp(path, "-") != 0 && sf_identify(path, &s->identity, NULL) == 0;
	rc = vtab_walk_open(&s->walk, conn, s->path, &scope, err);
	if (rc == 0)
		rc = vtab_walk_to(&s->walk, m, &s->ts, err);
	if (rc < 0) {
		snapshot_free(s);
		return rc;
	}
	s->num = state_stats(s->walk.state)->events;
	vtab_tell_gaps(conn, path, s->walk.reader);
	*out = s;
	return 0;
}

/* Where a new one is kept: the place of the one that was used longest ago. */
static struct vtab_snapshot **place_for(struct vtab_conn *conn)
{
	struct vtab_snapshot **oldest = &conn->snapshots[0];

	for (size_t i = 0; i < VTAB_SNAPSHOTS_MAX; i++) {
		struct vtab_snapshot **at = &conn->snapshots[i];

		if (!*at)
			return at;
		if ((*at)->used < (*oldest)->used)
			oldest = at;
	}
	return oldest;
}

int vtab_snapshot_get(struct vtab_conn *conn, const char *path, const struct run_moment *m,
		      struct vtab_snapshot **out, struct error *err)
{
	struct vtab_snapshot *s = NULL, **place;
	int rc;

	for (size_t i = 0; i < VTAB_SNAPSHOTS_MAX && !s; i++)
		if (conn->snapshots[i] && is_of(conn->snapshots[i], path, m))
			s = conn->snapshots[i];
	if (!s) {
		rc = snapshot_new(conn, path, m, &s, err);
		if (rc < 0)
			return rc;
		place = place_for(conn);
		vtab_snapshot_release(*place);
		*place = s;
		s->refs++;
	}
	s->used = ++conn->clock;
	s->refs++;
	*out = s;
	return 0;
}

void vtab_snapshot_release(struct vtab_snapshot *s)
{
	if (s && --s->refs == 0)
		snapshot_free(s);
}

void vtab_snapshots_drop(struct vtab_conn *conn)
{
	for (size_t i = 0; i < VTAB_SNAPSHOTS_MAX; i++) {
		vtab_snapshot_release(conn->snapshots[i]);
		conn->snapshots[i] = NULL;
	}
}
