/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work lists: which captures there are, and which worker replays which of them. A job is a list of
 * captures (traces) with their hashes, cut into shards of about the same weight; docs/scale-out.md
 * has the format. A list comes from whoever can write to the directory of a job: it is checked like
 * any input.
 * Units: bytes. Threads: everything here is reentrant. Ownership: a list owns its texts.
 */
#ifndef REGRESS_SHARD_H
#define REGRESS_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/sv.h"

#define REG_SHARDS_MAX 10000u	    /* of a job; Slurm can be set to take as many tasks */
#define REG_TRACES_MAX 1000000u	    /* of a job */
#define REG_PATH_MAX   4095u	    /* bytes of a path */
#define REG_LIST_MAX   (512u << 20) /* bytes of a list */
#define REG_HEX	       64	    /* digits of a SHA-256 */
#define REG_MANIFEST   (-1) /* instead of the number of a shard: the list of the whole job */

struct reg_trace {
	uint64_t seq;	/* place in the job, from 1 */
	unsigned shard; /* from 0 */
	char sha256[REG_HEX + 1];
	uint64_t bytes;	 /* of the file as stored */
	uint64_t events; /* if they were counted */
	bool counted;
	const char *path;
};

struct reg_list {
	char job[REG_HEX + 1];	 /* digest of the job: equal for all its lists */
	bool by_events;		 /* what was weighed; else bytes */
	unsigned shards;	 /* of the job */
	uint64_t traces;	 /* of the job */
	int shard;		 /* whose list it is, or REG_MANIFEST */
	struct reg_trace *trace; /* @count, in the order of the job */
	size_t count;
	struct arena arena;
};

/**
 * reg_list_parse() - read a list
 * @out: to be freed by reg_list_done(); untouched on failure
 * Return: 0, ERR_FORMAT (with the number of the line), ERR_UNSUPPORTED (a newer version of the
 * format), ERR_LIMIT, ERR_NOMEM.
 */
MUST_CHECK int reg_list_parse(struct sv text, struct reg_list *out, struct error *err);
/* The list of one shard of the manifest @l, or of all (REG_MANIFEST); @b may fail. */
void reg_list_write(const struct reg_list *l, int shard, struct buf *b);
void reg_list_done(struct reg_list *l);
/* Fill in @job of a manifest. Return: 0, or ERR_NOMEM. */
MUST_CHECK int reg_list_seal(struct reg_list *l, struct error *err);

/**
 * reg_pack() - assign items to shards, the heaviest first, each to the shard that has least so far
 * @weight: of each of @n items; 0 counts as 1
 * @shard: receives a number below @into for each
 * What comes out depends on nothing but the arguments. Return: 0, or ERR_NOMEM.
 */
MUST_CHECK int reg_pack(const uint64_t *weight, size_t n, unsigned into, unsigned *shard,
			struct error *err);

struct reg_named { /* a line of a list of paths */
	const char *path;
	char sha256[REG_HEX + 1]; /* as the line has it; empty: it has none */
};

/*
 * for (; (rc = reg_paths_next(&rest, &line, &a, &named, err)) > 0;): lines of @rest that name a
 * file, plain or as sha256sum writes them; empty lines and those that begin with # do not. @line
 * counts, the path is @a's. Return: 1, 0 at the end, ERR_FORMAT, ERR_NOMEM.
 */
MUST_CHECK int reg_paths_next(struct sv *rest, uint64_t *line, struct arena *a,
			      struct reg_named *out, struct error *err);

#endif
