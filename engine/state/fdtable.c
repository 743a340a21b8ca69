/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptor tables: small numbers indexed, the rest sorted, the records in the state's pool. */
#include "engine/state/internal.h"

#include <string.h>

#define DIRECT_FIRST 16
#define FAR_FIRST    8

static uint32_t far_position(const struct state_fds *table, int64_t num)
{
	uint32_t lo = 0, hi = table->far_count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (table->far[mid]->num < num)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct state_fd *state_fd_find_far(const struct state_fds *table, int64_t num)
{
	uint32_t i = far_position(table, num);

	return i < table->far_count && table->far[i]->num == num ? table->far[i] : NULL;
}

struct state_fd *state_fd_of_table(const struct state_fds *table, int64_t num)
{
	return table ? state_fd_in(table, num) : NULL;
}

struct state_fd *state_fd_find(const struct state_thread *t, int64_t num)
{
	return state_fd_seek(t, num);
}

uint64_t state_fd_count(const struct state_thread *t)
{
	const struct state_thread *main = state_main(t);

	return main && main->fds ? main->fds->count : 0;
}

/* @at counts through the indexed numbers first, then through the sorted ones. */
struct state_fd *state_fd_next(const struct state_thread *t, size_t *at)
{
	struct state_fds *const *slot = state_fds_of(t);
	const struct state_fds *table = slot ? *slot : NULL;
	struct state_fd *fd;

	while (table && *at < table->direct_cap) {
		fd = table->direct[(*at)++];
		if (fd)
			return fd;
	}
	while (table && *at - table->direct_cap < table->far_count) {
		fd = table->far[(*at)++ - table->direct_cap];
		if (fd->num >= 0)
			return fd;
	}
	return NULL;
}

/* --- records --- */

static void drop_texts(struct state *st, struct state_fd *fd)
{
	state_str_unref(st, fd->name);
	state_str_unref(st, fd->name_raw);
	state_str_unref(st, fd->old_name);
}

static void free_record(struct state *st, struct state_fd *fd)
{
	drop_texts(st, fd);
	pool_release(&st->pool, fd, sizeof(*fd));
	st->fds_total--;
}

struct state_fd state_fd_dup(const struct state_fd *fd)
{
	struct state_fd copy = *fd;

	state_str_ref(copy.name);
	state_str_ref(copy.name_raw);
	state_str_ref(copy.old_name);
	copy.openflags &= ~(STATE_O_CLOEXEC | 1u);
	return copy;
}

bool state_fd_is_cloexec(const struct state_fd *fd)
{
	return (fd->openflags & STATE_O_CLOEXEC) ||
	       ((fd->type == EV_FD_EVENTPOLL || fd->type == EV_FD_MEMFD) && (fd->openflags & 1u));
}

void state_fd_set_status(struct state_fd *fd, uint32_t status)
{
	fd->flags &= ~(uint32_t)(STATE_FD_CONNECTED | STATE_FD_PENDING | STATE_FD_FAILED);
	fd->flags |= status;
}

void state_fd_set_name(struct state *st, struct state_fd *fd, struct sv name)
{
	state_str_set(st, &fd->name, name);
}

/* --- tables --- */

/* An array of @n pointers of which the first @used come from @old. */
static struct state_fd **grow_array(struct state *st, struct state_fd **old, uint32_t used,
				    uint32_t old_cap, uint32_t n)
{
	struct state_fd **new = pool_alloc(&st->pool, n * sizeof(struct state_fd *));

	if (!new) {
		st->nomem = true;
		return NULL;
	}
	if (used)
		memcpy(new, old, used * sizeof(struct state_fd *));
	memset(new + used, 0, (n - used) * sizeof(struct state_fd *));
	if (old_cap)
		pool_release(&st->pool, old, old_cap * sizeof(struct state_fd *));
	return new;
}

/* Numbers below the new capacity that stood in the sorted part move over. */
static void pull_from_far(struct state_fds *table)
{
	uint32_t first = far_position(table, 0);
	uint32_t end = far_position(table, table->direct_cap);

	for (uint32_t i = first; i < end; i++)
		table->direct[table->far[i]->num] = table->far[i];
	if (end > first) {
		memmove(table->far + first, table->far + end,
			(table->far_count - end) * sizeof(struct state_fd *));
		table->far_count -= end - first;
	}
}

static bool direct_grow(struct state *st, struct state_fds *table, int64_t num)
{
	uint32_t cap = table->direct_cap ? table->direct_cap : DIRECT_FIRST;
	struct state_fd **new;

	while (cap <= num)
		cap *= 2;
	new = grow_array(st, table->direct, table->direct_cap, table->direct_cap, cap);
	if (!new)
		return false;
	table->direct = new;
	table->direct_cap = cap;
	pull_from_far(table);
	return true;
}

/* Do not give a table with few entries an index of hundreds. */
static bool wants_direct(const struct state_fds *table, int64_t num)
{
	return num >= 0 && num < STATE_FD_DIRECT_MAX &&
	       (num < 4 * DIRECT_FIRST || (uint64_t)num < 8 * (uint64_t)table->count);
}

static bool far_insert(struct state *st, struct state_fds *table, struct state_fd *fd)
{
	uint32_t at = far_position(table, fd->num);

	if (table->far_count == table->far_cap) {
		uint32_t cap = table->far_cap ? table->far_cap * 2 : FAR_FIRST;
		struct state_fd **new =
		    grow_array(st, table->far, table->far_count, table->far_cap, cap);

		if (!new)
			return false;
		table->far = new;
		table->far_cap = cap;
	}
	memmove(table->far + at + 1, table->far + at,
		(table->far_count - at) * sizeof(struct state_fd *));
	table->far[at] = fd;
	table->far_count++;
	return true;
}

static bool table_insert(struct state *st, struct state_fds *table, struct state_fd *fd)
{
	if ((uint64_t)fd->num >= table->direct_cap && wants_direct(table, fd->num) &&
	    !direct_grow(st, table, fd->num))
		return false;
	if ((uint64_t)fd->num < table->direct_cap)
		table->direct[fd->num] = fd;
	else if (!far_insert(st, table, fd))
		return false;
	table->count++;
	return true;
}

static struct state_fds *table_new(struct state *st)
{
	struct state_fds *table = pool_zalloc(&st->pool, sizeof(*table));

	if (!table)
		st->nomem = true;
	return table;
}

struct state_fd *state_fd_insert_take(struct state *st, struct state_fds **table, int64_t num,
				      struct state_fd *fd)
{
	struct state_fd *record;

	fd->num = num;
	if (!*table)
		*table = table_new(st);
	if (!*table)
		goto drop;
	record = state_fd_in(*table, num);
	if (record) {
		drop_texts(st, record);
		*record = *fd;
		return record;
	}
	if ((*table)->count >= st->fds_max || st->fds_total >= st->fds_total_max) {
		st->stats.fds_dropped++;
		goto drop;
	}
	record = pool_alloc(&st->pool, sizeof(*record));
	if (!record) {
		st->nomem = true;
		goto drop;
	}
	*record = *fd;
	st->fds_total++;
	if (table_insert(st, *table, record))
		return record;
	free_record(st, record);
	return NULL;
drop:
	drop_texts(st, fd);
	return NULL;
}

struct state_fd *state_fd_add_take(struct state_event *e, int64_t num, struct state_fd *fd)
{
	struct state_fds *const *table = state_fds_of(e->t);

	e->t->lastevent_fd = num;
	e->fd = NULL;
	if (!table) {
		drop_texts(e->st, fd);
		return NULL;
	}
	e->fd = state_fd_insert_take(e->st, (struct state_fds **)table, num, fd);
	return e->fd;
}

void state_fd_remove(struct state *st, struct state_fds *table, int64_t num)
{
	struct state_fd *fd;
	uint32_t at;

	if (!table)
		return;
	fd = state_fd_in(table, num);
	if (!fd)
		return;
	if ((uint64_t)num < table->direct_cap) {
		table->direct[num] = NULL;
	} else {
		at = far_position(table, num);
		table->far_count--;
		memmove(table->far + at, table->far + at + 1,
			(table->far_count - at) * sizeof(struct state_fd *));
	}
	table->count--;
	free_record(st, fd);
}

void state_fds_remove_if(struct state *st, struct state_fds *table,
			 bool (*match)(const struct state_fd *fd, const void *arg), const void *arg)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < table->direct_cap; i++) {
		struct state_fd *fd = table->direct[i];

		if (!fd || !match(fd, arg))
			continue;
		table->direct[i] = NULL;
		table->count--;
		free_record(st, fd);
	}
	for (uint32_t i = 0; i < table->far_count; i++) {
		struct state_fd *fd = table->far[i];

		if (match(fd, arg)) {
			table->count--;
			free_record(st, fd);
		} else {
			table->far[kept++] = fd;
		}
	}
	table->far_count = kept;
}

static void clone_record(struct state *st, struct state_fds **to, const struct state_fd *fd)
{
	struct state_fd copy = *fd;

	state_str_ref(copy.name);
	state_str_ref(copy.name_raw);
	state_str_ref(copy.old_name);
	copy.flags |= STATE_FD_CLONED;
	state_fd_insert_take(st, to, copy.num, &copy);
}

struct state_fds *state_fds_clone(struct state *st, const struct state_fds *from)
{
	struct state_fds *to = NULL;

	if (!from)
		return NULL;
	for (uint32_t i = 0; i < from->direct_cap; i++)
		if (from->direct[i])
			clone_record(st, &to, from->direct[i]);
	for (uint32_t i = 0; i < from->far_count; i++)
		clone_record(st, &to, from->far[i]);
	return to;
}

static bool match_all(const struct state_fd *fd, const void *arg)
{
	(void)fd;
	(void)arg;
	return true;
}

void state_fds_free(struct state *st, struct state_fds *table)
{
	if (!table)
		return;
	state_fds_remove_if(st, table, match_all, NULL);
	if (table->direct_cap)
		pool_release(&st->pool, table->direct,
			     table->direct_cap * sizeof(struct state_fd *));
	if (table->far_cap)
		pool_release(&st->pool, table->far, table->far_cap * sizeof(struct state_fd *));
	pool_release(&st->pool, table, sizeof(*table));
}
