/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a checkpoint share: each function saves what it is handed, or replaces it by
 * what it restores. Nothing that is restored is trusted: complaints latch in the archive, lack of
 * memory in the state. For checkpoint*.c only.
 */
#ifndef ENGINE_STATE_CHECKPOINT_H
#define ENGINE_STATE_CHECKPOINT_H

#include "base/archive.h"
#include "engine/state/internal.h"

#define CKPT_RECENT 2048 /* short texts that are not written again */
#define CKPT_SHORT  255	 /* bytes of one at most */

struct checkpoint {
	struct archive a;
	struct state *st;
	/* Saving: texts that were written, and their numbers. */
	struct {
		const struct state_str *text;
		uint64_t number;
	} recent[CKPT_RECENT];	  /* short ones, by what they begin and end with */
	struct smap numbers;	  /* the others: text -> its number + 1 */
	struct state_str **texts; /* restoring: by number, with a reference each */
	size_t count, cap;
	bool drops_containers; /* restoring: threads are to belong to the host */
	bool drops_marks;      /* saving: of descriptors */
};

static inline bool ckpt_saves(const struct checkpoint *c)
{
	return archive_saves(&c->a);
}

/* Restoring: is it over? */
static inline bool ckpt_broken(const struct checkpoint *c)
{
	return c->a.trouble || c->st->nomem;
}

/* --- checkpoint_archive.c --- */

/* Restoring, *@s must be empty. */
void ckpt_text(struct checkpoint *c, struct state_str **s);
void ckpt_list(struct checkpoint *c, struct state_list *l);
/* After the last text: both directions' memory of them. */
void ckpt_texts_done(struct checkpoint *c);
/* Saving: copies of the entries by key, for the caller to free; NULL: none (or out of memory,
 * latched). */
struct map_slot *ckpt_sorted(struct checkpoint *c, const struct map *m);
/*
 * Save each value of @m in the order of the keys, or restore as many by @one, which is given NULL,
 * files what it restored, and returns false when that was not possible.
 */
void ckpt_values(struct checkpoint *c, const struct map *m,
		 bool (*one)(struct checkpoint *c, void *value, void *arg), void *arg);
void ckpt_named_values(struct checkpoint *c, const struct smap *m,
		       bool (*one)(struct checkpoint *c, void *value));
/* File @value, which is the caller's if that fails. */
bool ckpt_file(struct checkpoint *c, struct map *m, uint64_t key, void *value);

/* --- checkpoint_threads.c --- */

/* With their descriptors, groups and families. */
void ckpt_threads(struct checkpoint *c);

/* --- checkpoint_containers.c: containers, and users in and out of them --- */

void ckpt_user_space(struct checkpoint *c, struct state_user_space *space);
/* For ckpt_named_values(). */
bool ckpt_one_space(struct checkpoint *c, void *value);
bool ckpt_one_container(struct checkpoint *c, void *value);
/* That of the last container event: one of those known, or one that was removed or replaced. */
void ckpt_last_container(struct checkpoint *c);

#endif
