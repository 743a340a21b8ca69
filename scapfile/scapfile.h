/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading capture files: plain, gzip (several members) or zstd (several frames), from a file or
 * stdin; every block type and version of the scap format, old events upgraded to current ones.
 * Damage policy: every whole event is delivered; what is missing is recorded as struct sf_gap with
 * offset and reason, and reading goes on where it can. Units: offsets and lengths are bytes of the
 * uncompressed stream unless they say compressed. Threads: one reader belongs to one thread at a
 * time; separate readers are independent.
 */
#ifndef SCAPFILE_SCAPFILE_H
#define SCAPFILE_SCAPFILE_H

#include "base/buf.h"
#include "scapfile/source.h"

enum sf_compression { SF_PLAIN, SF_GZIP, SF_ZSTD };

struct sf_options {
	uint64_t memory_limit; /* largest block kept in memory; 0 selects SF_MEMORY_LIMIT_DEFAULT */
	bool want_hash;	       /* compute SHA-256 of the file as stored, while reading */
	bool hash_aside;       /* that in a thread of its own, if it is worthwhile */
	bool read_ahead;       /* decompress in a thread of its own, if that is worthwhile */
	bool call_times;       /* for sf_reader_call_began() */
	uint64_t access_span;  /* remember places to enter at, so many uncompressed bytes apart */
};

#define SF_MEMORY_LIMIT_DEFAULT (1024ull << 20)
#define SF_GAPS_MAX		1000 /* gaps described one by one; further ones are only counted */

enum sf_gap_reason {
	SF_GAP_TRUNCATED,   /* the data ends inside a block (or the compressed stream is cut) */
	SF_GAP_COMPRESSION, /* corrupt compressed data; reading goes on at the next frame or member
			     */
	SF_GAP_FRAMING,	 /* a block's lengths do not make sense; skipped to the next plausible block
			  */
	SF_GAP_BLOCK,	 /* a metadata block's contents do not make sense; its rest was skipped */
	SF_GAP_EVENT,	 /* one event is malformed or cannot be converted; skipped */
	SF_GAP_RECORDED, /* the recorder itself noted a loss */
};

struct sf_gap {
	uint64_t offset; /* where the damage starts */
	uint64_t bytes;	 /* how much was skipped; 0 if not known */
	enum sf_gap_reason reason;
	char what[160]; /* for people: what was expected and what was found */
};

struct sf_stats {
	enum sf_compression compression;
	uint64_t file_size;   /* compressed bytes read so far */
	uint64_t stream_size; /* uncompressed bytes read so far */
	uint32_t sections;
	uint64_t blocks, unknown_blocks; /* unknown block types are skipped */
	uint64_t events;		 /* delivered */
	uint64_t
	    events_stored; /* enter events kept for their exit by the converter, not delivered */
	uint64_t events_unknown;	 /* of types newer than the table, skipped */
	uint64_t losses;		 /* delivered: records of what the recorder lost */
	uint64_t urings;		 /* delivered: operations through io_uring */
	uint64_t hashes, hashes_skipped; /* delivered: of executed files; and executions without */
	uint64_t gaps;			 /* all, also beyond SF_GAPS_MAX */
	uint16_t version_major, version_minor; /* of the last section header */
	bool sha256_valid; /* after the end was reached, with want_hash, from the start on */
	uint8_t sha256[32];
};

struct sf_reader;

/**
 * sf_reader_open() - open a capture and read its first section header
 * @path: "-" reads standard input
 * @opt: NULL selects the defaults
 * @out: receives a reader the caller owns; untouched on failure
 * Return: 0, or ERR_IO, ERR_NOMEM, ERR_FORMAT (not a capture), ERR_UNSUPPORTED (newer major
 * version, other byte order), ERR_TRUNCATED (ends inside the section header; an empty file).
 */
MUST_CHECK int sf_reader_open(const char *path, const struct sf_options *opt,
			      struct sf_reader **out, struct error *err);
/* The same over memory, for tests and fuzzing; @data is borrowed and must outlive the reader. */
MUST_CHECK int sf_reader_open_memory(const void *data, size_t n, const struct sf_options *opt,
				     struct sf_reader **out, struct error *err);
/* The reader as a source. ev_source_close() on it closes the reader. */
struct ev_source *sf_reader_source(struct sf_reader *r);
const struct sf_stats *sf_reader_stats(const struct sf_reader *r);
/* Described gaps, in file order; *n receives how many. Valid until the next call on the reader. */
const struct sf_gap *sf_reader_gaps(const struct sf_reader *r, size_t *n);
/*
 * With @call_times: when the call began that the event delivered last ends, as far as the capture
 * says that: those of before have an event for it, which becomes part of the one that is delivered.
 * 0: not known.
 */
uint64_t sf_reader_call_began(const struct sf_reader *r);
/* Texts of pcapng-style comment options found in section headers; NULL when @i is past the last. */
const char *sf_reader_comment(const struct sf_reader *r, size_t i);
/*
 * Be done with the capture: the rest of the file is read as stored, for its size and hash, without
 * looking at it; no item follows. Return: 0, or ERR_IO.
 */
MUST_CHECK int sf_reader_drain(struct sf_reader *r, struct error *err);
void sf_reader_close(struct sf_reader *r); /* NULL is fine */

/* ---- blocks as they stand ---- */

struct sf_raw_block { /* borrowed: valid until the next call on the reader */
	uint32_t type;
	uint64_t offset;
	const uint8_t *p; /* the block's first byte */
	uint32_t total;	  /* bytes, with both lengths */
	bool is_section, is_event;
	uint64_t ts; /* of an event */
};

/*
 * The next whole block instead of the next item: whoever asks for one kind does not ask for the
 * other. Blocks of all types come, in the order of the file; what is stepped over is a gap.
 * Return: 1, 0 at the end, or ERR_*.
 */
MUST_CHECK int sf_reader_next_block(struct sf_reader *r, struct sf_raw_block *out,
				    struct error *err);

/* ---- beginning in the middle ---- */

/* A place where decoding can begin: nothing before it is needed but what it brings along. The start
 * of the file, all zero, is one. Plain files can be entered anywhere. */
struct sf_access {
	uint64_t stored; /* where to read on, in the file as stored */
	uint64_t raw;	 /* offset of the first byte decoded there */
	uint8_t bits;	 /* gzip, inside a member: so many high bits of that byte; 0: all */
	/* gzip, inside a member: the bytes before @raw; empty: a member or frame begins here */
	struct sv window;
};

/* The places met so far, in file order; valid until the next call on the reader. */
const struct sf_access *sf_reader_access(const struct sf_reader *r, size_t *n);
/* Offset of the next block. */
uint64_t sf_reader_offset(const struct sf_reader *r);
/*
 * Append where the reader is and what it needs to go on from there. Right after an event.
 * Return: 0, ERR_USAGE (it is not between two events of a section), ERR_NOMEM.
 */
MUST_CHECK int sf_reader_save(const struct sf_reader *r, struct buf *out, struct error *err);
/*
 * Let a reader that was just opened go on from there, as if it had read all before: counters too,
 * but for gaps one by one. @a: a place that is not behind it.
 * Return: 0, ERR_FORMAT (these bytes are none of sf_reader_save()), ERR_TRUNCATED (the file ends
 * before), ERR_IO (also: the input cannot be positioned), ERR_NOMEM.
 */
MUST_CHECK int sf_reader_enter(struct sf_reader *r, const struct sf_access *a, const void *p,
			       size_t n, struct error *err);

const char *sf_compression_name(enum sf_compression c); /* "plain", "gzip", "zstd" */
/* What a reader makes of a loss, for those who take losses from elsewhere. */
void sf_gap_of_loss(struct sf_gap *gap, const struct ev_loss *l, uint64_t offset);
const char *sf_gap_reason_name(enum sf_gap_reason r); /* "truncated", ... */

#endif
