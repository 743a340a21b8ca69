/* SPDX-License-Identifier: Apache-2.0 */
/* Which files were hashed: a table of fixed size that forgets the least recently used ones. */
#include "capture/hasher.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

static uint32_t *bucket_of(const struct hash_known *k, uint64_t ino, uint64_t ctime)
{
	return &k->buckets[hash_u64(ino ^ hash_u64(ctime)) % k->max];
}

static struct hash_entry *at(const struct hash_known *k, uint32_t ref)
{
	return ref ? &k->entries[ref - 1] : NULL;
}

int hash_known_init(struct hash_known *k, uint32_t max, struct error *err)
{
	*k = (struct hash_known){.max = max};
	k->entries = calloc(max, sizeof(*k->entries));
	k->buckets = calloc(max, sizeof(*k->buckets));
	if (k->entries && k->buckets)
		return 0;
	hash_known_done(k);
	return error_nomem(err);
}

void hash_known_done(struct hash_known *k)
{
	free(k->entries);
	free(k->buckets);
	*k = (struct hash_known){0};
}

void hash_known_clear(struct hash_known *k)
{
	memset(k->buckets, 0, k->max * sizeof(*k->buckets));
	k->used = k->newest = k->oldest = 0;
}

/* --- order of use --- */

static void unlink_use(struct hash_known *k, struct hash_entry *e)
{
	*(e->newer ? &at(k, e->newer)->older : &k->newest) = e->older;
	*(e->older ? &at(k, e->older)->newer : &k->oldest) = e->newer;
}

static void link_newest(struct hash_known *k, struct hash_entry *e)
{
	uint32_t ref = (uint32_t)(e - k->entries) + 1;

	e->newer = 0;
	e->older = k->newest;
	if (k->newest)
		at(k, k->newest)->newer = ref;
	else
		k->oldest = ref;
	k->newest = ref;
}

/* --- lookup --- */

const struct hash_entry *hash_known_find(struct hash_known *k, const struct hash_file *file,
					 uint64_t path, bool any_path)
{
	struct hash_entry *e = at(k, *bucket_of(k, file->ino, file->ctime));

	while (e && (memcmp(&e->file, file, sizeof(*file)) != 0 || (!any_path && e->path != path)))
		e = at(k, e->chain);
	if (!e)
		return NULL;
	unlink_use(k, e);
	link_newest(k, e);
	return e;
}

bool hash_known_has(const struct hash_known *k, uint64_t ino, uint64_t ctime, uint64_t path)
{
	const struct hash_entry *e = at(k, *bucket_of(k, ino, ctime));

	while (e && (e->file.ino != ino || e->file.ctime != ctime || e->path != path))
		e = at(k, e->chain);
	return e != NULL;
}

/* --- change --- */

static struct hash_entry *take_oldest(struct hash_known *k)
{
	uint32_t oldest = k->oldest;
	struct hash_entry *e = at(k, oldest);
	uint32_t *ref = bucket_of(k, e->file.ino, e->file.ctime);

	while (*ref != oldest)
		ref = &at(k, *ref)->chain;
	*ref = e->chain;
	unlink_use(k, e);
	return e;
}

void hash_known_add(struct hash_known *k, const struct hash_file *file, uint64_t path,
		    enum ev_hash_status status, const uint8_t *sha256)
{
	struct hash_entry *e = k->used < k->max ? &k->entries[k->used++] : take_oldest(k);
	uint32_t *bucket = bucket_of(k, file->ino, file->ctime);

	*e = (struct hash_entry){
	    .file = *file, .path = path, .chain = *bucket, .status = (uint8_t)status};
	if (sha256)
		memcpy(e->sha256, sha256, sizeof(e->sha256));
	*bucket = (uint32_t)(e - k->entries) + 1;
	link_newest(k, e);
}
