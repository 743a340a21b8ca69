/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small captures made in memory, for tests: blocks of every kind and version, right or wrong on
 * purpose. Written apart from the reader, so that both would have to misread the format alike to
 * hide a mistake. Zero-initialised storage is an empty capture. Running out of memory ends the
 * test.
 */
#ifndef SCAPFILE_TESTS_CAPTURE_BUILDER_H
#define SCAPFILE_TESTS_CAPTURE_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "scapfile/source.h"

enum cb_block {
	CB_SHB = 0x0a0d0d0a,
	CB_MI = 0x201,
	CB_IL = 0x205,
	CB_IL_V2 = 0x219,
	CB_UL = 0x206,
	CB_UL_V2 = 0x220,
	CB_FDL = 0x203,
	CB_FDL_V2 = 0x218,
	CB_EV = 0x204,
	CB_EVF = 0x208,
	CB_EV_V2 = 0x216,
	CB_EVF_V2 = 0x217,
	CB_EV_V2_LARGE = 0x221,
	CB_EVF_V2_LARGE = 0x222,
};

struct capture {
	struct buf out;
	size_t block;	       /* where the open block starts */
	size_t entry;	       /* where the open list entry starts */
	struct buf lens, data; /* of the open event */
	uint32_t nparams;
	uint32_t event_block; /* type of the block the open event goes into */
	uint64_t ts;
	int64_t tid;
	uint16_t type, cpu;
	uint32_t flags;
};

void cb_done(struct capture *c);
void cb_reset(struct capture *c);

/* Pieces of an open block. */
void cb_u8(struct capture *c, unsigned v);
void cb_u16(struct capture *c, unsigned v);
void cb_u32(struct capture *c, uint32_t v);
void cb_u64(struct capture *c, uint64_t v);
void cb_bytes(struct capture *c, const void *p, size_t n);
void cb_fill(struct capture *c, int byte, size_t n);
void cb_str16(struct capture *c, const char *text); /* length and text without NUL */

/* Everything between begin and end is the body; the end writes padding and both lengths. */
void cb_begin(struct capture *c, uint32_t type);
void cb_end(struct capture *c);
/* A list entry that starts with its own length, which counts itself or (interface lists) does not.
 */
void cb_entry_begin(struct capture *c);
void cb_entry_end(struct capture *c, bool counts_itself);

/* Whole blocks. */
void cb_section(struct capture *c); /* version 1.2 */
void cb_machine(struct capture *c, uint32_t cpus, const char *hostname);

/* An entry of an open user list. */
void cb_group(struct capture *c, uint32_t gid, const char *name);
/* The descriptors of thread 7: a pipe, number 3. */
void cb_pipe_list(struct capture *c);

/* The block number of process list version @version (1..9). */
uint32_t cb_thread_block(unsigned version);
/* One entry of an open process list. @tail: bytes of version 9's tail to write, cut from the
 * current (76 byte) form if more than 29, else from the old one. */
void cb_thread(struct capture *c, unsigned version, const struct ev_thread_entry *t, size_t tail);

/* Events: begin, one call per parameter, end. The block type decides the form of the header. */
void cb_event_begin(struct capture *c, uint32_t block, unsigned type, uint64_t ts, int64_t tid);
void cb_param(struct capture *c, const void *p, size_t n);
void cb_param_u64(struct capture *c, uint64_t v);
void cb_param_u32(struct capture *c, uint32_t v);
void cb_param_str(struct capture *c, const char *text); /* with its NUL */
/* @wide: 32-bit lengths. @len_error: added to the event's length, to make it wrong. */
void cb_event_end_as(struct capture *c, bool wide, int len_error);
void cb_event_end(struct capture *c); /* with the widths the event type asks for */
/* A complete current event: STAT_X with @tid and the path "/x" in 56 bytes. */
void cb_stat(struct capture *c, uint64_t ts, int64_t tid);

/* A capture with a bit of everything. Return: what describe_capture() says of it. */
const char *cb_mixed(struct capture *c);

/* Compress @n bytes at @p, appending a gzip member or a zstd frame to @out. */
void cb_gzip(struct buf *out, const void *p, size_t n);
void cb_zstd(struct buf *out, const void *p, size_t n);

#endif
