/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the text files of /proc. Their contents is partly chosen by the processes they describe:
 * everything is bounded, numbers are taken only where digits are.
 */
#ifndef CAPTURE_STATE_TEXT_H
#define CAPTURE_STATE_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/defs.h"
#include "base/sv.h"

/*
 * The first bytes of a file, NUL-terminated, at most @cap - 1 of them. Return: how many, or -errno.
 */
ssize_t host_read_file(int dir, const char *name, char *buf, size_t cap);
/* The target of a symbolic link, likewise; a longer one is cut. */
ssize_t host_read_link(int dir, const char *name, char *buf, size_t cap);
/* The number in a link such as "net:[4026531833]"; 0: no such link. */
uint64_t host_link_number(int dir, const char *name);
uint64_t host_bracketed(struct sv text);

/* A directory to look up files in. Return: descriptor or -1. */
int host_open_dir(int dir, const char *name);

/* Take one line, or one field up to blanks, off the front. An absent one is empty. */
struct sv host_take_line(struct sv *rest);
struct sv host_take_field(struct sv *rest);
struct sv host_skip_fields(struct sv rest, unsigned n);
/* Take digits off the front. Return: false if there are none, or too many. */
bool host_take_u64(struct sv *rest, unsigned base, uint64_t *out);
/* The number at the front (after blanks), or @otherwise. */
uint64_t host_u64(struct sv text, unsigned base, uint64_t otherwise);
int64_t host_i64(struct sv text, int64_t otherwise);

#define HOST_LINES_BUF 65536
struct host_lines { /* of a file of any length; lines over the buffer are left out */
	int fd;
	size_t from, to; /* what was read and not taken yet */
	bool end, skipping;
	char buf[HOST_LINES_BUF];
};
/* Return: 0 or -errno. */
int host_lines_open(struct host_lines *l, int dir, const char *name);
/* Return: false at the end; @line is valid until the next call. */
bool host_lines_next(struct host_lines *l, struct sv *line);
void host_lines_close(struct host_lines *l);

#endif
