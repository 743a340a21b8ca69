/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that outlive the records they came from: each distinct one is kept once, until the end.
 * Long texts are cut, and beyond a total nothing new is kept: both are counted. Threads: as the
 * tracker they belong to. Zero-initialised storage is a valid empty collection.
 */
#ifndef ENGINE_ACTIVITY_TEXTS_H
#define ENGINE_ACTIVITY_TEXTS_H

#include "base/arena.h"
#include "base/map.h"

#define ACT_TEXT_MAX  4096	 /* bytes of one text */
#define ACT_TEXTS_MAX (64 << 20) /* bytes of all texts */
#define ACT_TEXT_NEAR 256	 /* texts found without looking into the map */

struct act_texts {
	struct arena arena;
	struct smap known;
	struct sv near[ACT_TEXT_NEAR]; /* some of them, by where they were copied from */
	size_t bytes;
	uint64_t cut; /* texts shortened or not kept */
	bool failed;  /* out of memory at least once */
};

/* The kept copy of @s, valid until act_texts_done(); "" for an empty text and when none is kept. */
struct sv act_texts_keep(struct act_texts *t, struct sv s);
void act_texts_done(struct act_texts *t);

#endif
