/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making seals (seal.h, docs/seal.md): what the seals of a writer's files have in common, and the
 * lines of one file's seal, written as its frames are. Threads: whoever writes the capture's bytes
 * writes the seal's lines.
 */
#ifndef SCAPFILE_SEALING_H
#define SCAPFILE_SEALING_H

#include "scapfile/clocks.h"
#include "scapfile/placing.h"
#include "scapfile/scapfile.h"
#include "scapfile/seal.h"

struct sf_note;

/* ---- the chain, and the keys of tags (seal_chain.c); checkers need them, too ---- */

#define SF_SEAL_VERSION	  1
#define SF_SEAL_TAIL_MAX  160 /* hash and tag */
#define SF_SEAL_KEY_MAGIC "scapula-seal-key-1 "

/* "PATH.seal", which the caller owns; NULL when out of memory. */
char *sf_seal_name(const char *path);
/* @hash is h(n-1) before and h(n) afterwards. Return: false if libcrypto failed. */
MUST_CHECK bool sf_seal_chain(uint8_t hash[SF_SEAL_DIGEST], struct sv covered);
/* The key of the next line; the one before is gone. */
MUST_CHECK bool sf_seal_next_key(uint8_t key[SF_SEAL_DIGEST]);
MUST_CHECK bool sf_seal_tag(const uint8_t key[SF_SEAL_DIGEST], const uint8_t hash[SF_SEAL_DIGEST],
			    uint8_t tag[SF_SEAL_DIGEST]);

extern const char *const sf_seal_origins[SF_SEAL_LATER + 1];
extern const char *const sf_seal_endings[3]; /* of enum sf_seal_ending */

/* Members of a line, each with a comma in front. */
void sf_seal_add_digest(struct buf *b, const char *name, const uint8_t digest[SF_SEAL_DIGEST]);
void sf_seal_add_number(struct buf *b, const char *name, uint64_t v);
void sf_seal_add_time(struct buf *b, const char *name, uint64_t ns);

/* ---- of one writer (sealer.c) ---- */

struct sf_sealer {
	const struct sf_seal_options *opt;
	bool has_key;
	uint8_t key[SF_SEAL_DIGEST]; /* for the next line */
	uint64_t key_step;	     /* lines tagged so far */
	int heads_fd;
	char *previous; /* the seal before this one, or NULL */
	uint8_t previous_hash[SF_SEAL_DIGEST];
	struct buf lineage; /* a JSON object, or empty */
};

/* Storage at @k is initialised whatever happens; sf_sealer_done() must follow. */
MUST_CHECK int sf_sealer_init(struct sf_sealer *k, const struct sf_seal_options *opt,
			      struct error *err);
void sf_sealer_done(struct sf_sealer *k);
/* No file was sealed with it. */
void sf_sealer_forget_key(struct sf_sealer *k);
MUST_CHECK int sf_sealer_lineage(struct sf_sealer *k, const struct sf_lineage *l,
				 struct error *err);
/* What the first line says of capture @name and its origin. */
void sf_sealer_describe(const struct sf_sealer *k, struct buf *b, const char *name,
			enum sf_compression c);
void sf_sealer_add_lineage(const struct sf_sealer *k, struct buf *b);
/* The tag of a line, if there is a key, which then is the next line's. */
MUST_CHECK bool sf_sealer_tag(struct sf_sealer *k, const uint8_t hash[SF_SEAL_DIGEST],
			      struct buf *b);
/* To whoever keeps heads elsewhere. */
void sf_sealer_tell_head(const struct sf_sealer *k, const char *path, uint64_t line,
			 const uint8_t hash[SF_SEAL_DIGEST]);
/* The seal at @path is complete: the next one refers to it. */
MUST_CHECK int sf_sealer_follow(struct sf_sealer *k, const char *path,
				const uint8_t hash[SF_SEAL_DIGEST], struct error *err);

/* ---- of one file (sealing.c) ---- */

enum sf_seal_ending {
	SF_SEAL_COMPLETE,
	SF_SEAL_ROTATED, /* another file follows */
	SF_SEAL_CUT,	 /* writing failed; what is there is whole */
};

struct sf_seal {
	struct sf_sealer *sealer; /* NULL: there is no seal, and all below do nothing */
	int fd;
	char *path, *partial; /* as in struct sf_output */
	uint64_t stored;      /* bytes of the seal: whole lines */
	uint64_t lines, frames, events, lost;
	uint64_t at, raw;      /* of the capture: bytes so far */
	uint64_t synced, told; /* CLOCK_MONOTONIC */
	uint8_t hash[SF_SEAL_DIGEST];
	struct sf_hash *whole;
	uint8_t digest[SF_SEAL_DIGEST]; /* of it, at the end */
	struct buf line;
	bool broken; /* a line could not be written: the seal ends before it */
	enum sf_seal_ending ending;
	struct sf_clock clock; /* the last one */
	uint64_t clocks, steps;
};

/*
 * Create the seal of @capture and write its first line.
 * @sealer: NULL: none. Storage at @s is initialised whatever happens; sf_seal_done() must follow.
 */
MUST_CHECK int sf_seal_begin(struct sf_seal *s, struct sf_sealer *sealer, const char *capture,
			     enum sf_placing placing, enum sf_compression c, struct error *err);
/* The @n bytes at @p have been written: a frame with what @note says, NULL if that is not known,
 * @raw bytes uncompressed, UINT64_MAX if that is not. */
MUST_CHECK int sf_seal_frame(struct sf_seal *s, const uint8_t *p, size_t n, uint64_t raw,
			     const struct sf_note *note, struct error *err);
/* Likewise, but they hold no part of the capture: a seek table. */
MUST_CHECK int sf_seal_table(struct sf_seal *s, const uint8_t *p, size_t n, struct error *err);
MUST_CHECK int sf_seal_clock(struct sf_seal *s, const struct sf_clock *c, struct error *err);
/* Is it time to have the disk have everything? */
bool sf_seal_sync_due(const struct sf_seal *s);
MUST_CHECK int sf_seal_sync(struct sf_seal *s, struct error *err);
/* Write the last line and close it. */
MUST_CHECK int sf_seal_end(struct sf_seal *s, struct error *err);
/*
 * Give an ended seal its name, that for a capture called @path. Return: 0, or ERR_IO; with EEXIST
 * another one may be tried.
 */
MUST_CHECK int sf_seal_place(struct sf_seal *s, const char *path, struct error *err);
/* The capture could not be called that: the seal waits under this name for another one. */
void sf_seal_unplace(struct sf_seal *s, const char *path);
/* Close it; one that has no name yet is deleted. */
void sf_seal_done(struct sf_seal *s);

#endif
