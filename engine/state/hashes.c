/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes of executables, as the recorder told them. A thread knows its executable by path, inode
 * number and change time; a file that is changed has another change time.
 */
#include "engine/state/internal.h"

#include <string.h>

static uint64_t key_of(uint64_t ino, uint64_t ctime, struct sv path)
{
	return hash_bytes(path.p, path.n, hash_u64(ino ^ hash_u64(ctime)));
}

static bool is_of(const struct state_exe_hash *h, uint64_t ino, uint64_t ctime, struct sv path)
{
	return h->ino == ino && h->ctime == ctime && sv_eq(state_sv(h->path), path);
}

static void free_hash(struct state *st, struct state_exe_hash *h)
{
	state_str_unref(st, h->path);
	pool_release(&st->pool, h, sizeof(*h));
}

static void add_new(struct state *st, uint64_t key, const struct ev_hash *from)
{
	struct state_exe_hash *h;

	if (st->exe_hashes.count >= STATE_EXE_HASHES_MAX)
		return;
	h = pool_alloc(&st->pool, sizeof(*h));
	if (!h) {
		st->nomem = true;
		return;
	}
	*h = (struct state_exe_hash){
	    .path = state_str_new(st, from->path), .ino = from->ino, .ctime = from->ctime};
	memcpy(h->sha256, from->sha256, sizeof(h->sha256));
	if (h->path && map_put(&st->exe_hashes, key, h) == 0)
		return;
	st->nomem = true;
	free_hash(st, h);
}

bool state_exe_hash_restore_take(struct state *st, const struct state_exe_hash *from)
{
	uint64_t key = key_of(from->ino, from->ctime, state_sv(from->path));
	struct state_exe_hash *h = NULL;

	if (from->path && st->exe_hashes.count < STATE_EXE_HASHES_MAX &&
	    !map_get(&st->exe_hashes, key))
		h = pool_alloc(&st->pool, sizeof(*h));
	if (!h) {
		state_str_unref(st, from->path);
		return false;
	}
	*h = *from;
	if (map_put(&st->exe_hashes, key, h) == 0)
		return true;
	st->nomem = true;
	free_hash(st, h);
	return false;
}

void state_exe_hash_add(struct state *st, struct ev *ev)
{
	struct state_exe_hash *h;
	struct ev_hash from;
	uint64_t key;

	if (!ev_hash_decode(ev, &from) || !from.sha256 || !from.ino || !from.path.n)
		return;
	from.path = state_exepath(from.path);
	key = key_of(from.ino, from.ctime, from.path);
	h = map_get(&st->exe_hashes, key);
	if (!h)
		add_new(st, key, &from);
	else if (!is_of(h, from.ino, from.ctime, from.path) ||
		 memcmp(h->sha256, from.sha256, sizeof(h->sha256)) != 0)
		h->ambiguous = true;
}

void state_exe_hashes_clear(struct state *st)
{
	const struct map_slot *slot;

	for (size_t at = 0; (slot = map_next(&st->exe_hashes, &at));)
		free_hash(st, slot->value);
	map_clear(&st->exe_hashes);
}

const uint8_t *state_thread_exe_sha256(const struct state *st, const struct state_thread *t)
{
	struct sv path = state_sv(t->exepath);
	const struct state_exe_hash *h;

	if (!st->exe_hashes.count || !t->exe_ino)
		return NULL;
	h = map_get(&st->exe_hashes, key_of(t->exe_ino, t->exe_ino_ctime, path));
	return h && !h->ambiguous && is_of(h, t->exe_ino, t->exe_ino_ctime, path) ? h->sha256
										  : NULL;
}
