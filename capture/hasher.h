/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 of executed files, for the drain (drain.c): it offers the events of execs, a thread of
 * low priority opens and reads the files, and the drain takes the results to their places among the
 * events. Neither waits for the other: what does not fit into the queue is counted, and told.
 * Units: nanoseconds, bytes.
 */
#ifndef CAPTURE_HASHER_H
#define CAPTURE_HASHER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"
#include "scapfile/event.h"

#define HASH_KNOWN_MAX	  4096 /* files and paths remembered */
#define HASH_QUEUE_MAX	  256  /* execs that wait, and results; powers of two */
#define HASH_FILES_PER_S  100  /* files read */
#define HASH_BYTES_PER_S  (64u << 20)
#define HASH_BURST_NS	  4000000000u  /* so much of both may be used ahead */
#define HASH_SIZE_MAX	  (256u << 20) /* of a file */
#define HASH_TELL_NS	  1000000000u  /* between two records of what did not fit */
#define HASH_FINISH_NS	  2000000000u  /* what waits at the end is done for so long */
#define HASH_BUFFER_BYTES (64u << 10)

/* --- hash_known.c: files seen before, least recently used ones forgotten --- */

struct hash_file {
	uint64_t dev, ino, ctime, size;
};

struct hash_entry {
	struct hash_file file;
	uint64_t path;		      /* a hash of it */
	uint32_t chain, newer, older; /* indexes + 1; 0: none */
	uint8_t status;		      /* enum ev_hash_status */
	uint8_t sha256[EV_HASH_BYTES];
};

struct hash_known {
	struct hash_entry *entries;
	uint32_t *buckets;
	uint32_t max, used, newest, oldest;
};

MUST_CHECK int hash_known_init(struct hash_known *k, uint32_t max, struct error *err);
void hash_known_done(struct hash_known *k);
void hash_known_clear(struct hash_known *k);
/* By @file and @path; @any_path: the file is enough. Found ones are the newest from then on. */
const struct hash_entry *hash_known_find(struct hash_known *k, const struct hash_file *file,
					 uint64_t path, bool any_path);
/* Something of this name, inode number and change time. */
bool hash_known_has(const struct hash_known *k, uint64_t ino, uint64_t ctime, uint64_t path);
/* One that hash_known_find() does not find. @sha256 may be NULL. */
void hash_known_add(struct hash_known *k, const struct hash_file *file, uint64_t path,
		    enum ev_hash_status status, const uint8_t *sha256);

/* --- hash_file.c: one file --- */

struct hash_rate { /* when the files and bytes so far are paid for */
	uint64_t files, bytes;
};

/* May a file of @size bytes be read at @now? If so it counts. */
bool hash_rate_take(struct hash_rate *r, uint64_t now, uint64_t size);

struct hash_exec { /* one exec, as its event says */
	int64_t tid, pid;
	uint64_t ino, ctime, mtime;
	size_t path_n;
	char path[EV_HASH_PATH_MAX];
};

/* Open the file, without side effects if it is none. Return: a descriptor, or -1 with @status. */
int hash_open(const struct hash_exec *x, struct stat *sb, enum ev_hash_status *status);
/* Hash what @fd has, which was @sb. @give_up may be set meanwhile. */
enum ev_hash_status hash_read(int fd, const struct stat *sb, const atomic_bool *give_up,
			      uint8_t *buffer, uint8_t sha256[EV_HASH_BYTES]);

/* --- hasher.c: the thread --- */

struct hash_result {
	uint64_t ts; /* when it was known */
	int64_t tid;
	struct ev_hash hash;
	uint8_t sha256[EV_HASH_BYTES];
	char path[EV_HASH_PATH_MAX];
};

struct hasher;

MUST_CHECK int hasher_start(struct hasher **out, uint64_t boot_ns, struct error *err);
/* For the drain's thread alone. */
/* @body: an event with its header. If it is a successful exec, it is queued. */
void hasher_offer(struct hasher *h, const uint8_t *body);
/* The next result from up to @until, if it is known at @now; NULL: none. */
const struct hash_result *hasher_next(struct hasher *h, uint64_t now, uint64_t until);
/* Done with what hasher_next() returned. */
void hasher_taken(struct hasher *h, const struct hash_result *r);
/* Nothing is offered any more: work off what waits, but not for longer than @wait_ns. */
void hasher_finish(struct hasher *h, uint64_t wait_ns);
uint64_t hasher_cpu_ns(const struct hasher *h);
/* Any thread. A new file begins: tell also what is known. */
void hasher_forget(struct hasher *h);
void hasher_close(struct hasher *h); /* NULL is fine; it does not wait */

#endif
