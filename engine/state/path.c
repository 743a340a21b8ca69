/* SPDX-License-Identifier: Apache-2.0 */
/* Joining and cleaning paths, purely as text. */
#include "engine/state/internal.h"

#include <string.h>

/*
 * The output so far. Only @path is cleaned, but its ".." may eat into the base. The base is not
 * given a separator, so a component right after a base without final '/' is not at a boundary.
 */
struct join {
	char *out;
	size_t len;
	bool had_base;
};

static bool at_boundary(const struct join *j)
{
	return j->len == 0 || j->out[j->len - 1] == '/';
}

static void drop_component(struct join *j)
{
	if (j->len < 2)
		return;
	j->len--;
	while (!at_boundary(j))
		j->len--;
}

/* Bytes of @path that are "./", "../" or one of them at the end; they are carried out here. 0:
 * neither. */
static size_t take_dots(struct join *j, struct sv path)
{
	if (path.n == 1 || path.p[1] == '/')
		return path.n == 1 ? 1 : 2;
	if (path.p[1] != '.' || (path.n > 2 && path.p[2] != '/'))
		return 0;
	drop_component(j);
	return path.n == 2 ? 2 : 3;
}

/* One step: returns how many bytes of @path (not empty) it dealt with. */
static size_t join_step(struct join *j, struct sv path)
{
	const char *slash;
	size_t n = 1;

	if (path.p[0] == '/') {
		if (at_boundary(j) && (j->len || j->had_base))
			return 1;
	} else {
		if (path.p[0] == '.' && at_boundary(j)) {
			n = take_dots(j, path);
			if (n)
				return n;
		}
		slash = memchr(path.p, '/', path.n);
		n = slash ? (size_t)(slash - path.p) : path.n;
	}
	memcpy(j->out + j->len, path.p, n);
	j->len += n;
	return n;
}

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/* The top bit of each byte of @x that is not zero. */
static inline uint64_t not_zero(uint64_t x)
{
	return ((x & EACH_BYTE(0x7f)) + EACH_BYTE(0x7f)) | x;
}

/* Does one of the eight bytes at @p begin "//" or "/."? The last one's successor is read, too. */
static inline bool has_dirt(const char *p)
{
	/* '.' and '/' differ in the lowest bit alone. */
	uint64_t here = load_u64(p) ^ EACH_BYTE('/');
	uint64_t next = (load_u64(p + 1) | EACH_BYTE(1)) ^ EACH_BYTE('/');

	return ~(not_zero(here) | not_zero(next)) & EACH_BYTE(0x80);
}

/* Nothing to clean: no component is empty or begins with a dot. Most paths are like that. */
static bool is_clean(struct sv path)
{
	size_t i = 0;

	for (; i + 8 < path.n; i += 8)
		if (has_dirt(path.p + i))
			return false;
	for (; i + 1 < path.n; i++)
		if (path.p[i] == '/' && (path.p[i + 1] | 1) == '/')
			return false;
	return path.n && path.p[0] != '.' && path.p[path.n - 1] != '/';
}

struct sv state_path_concat(char out[STATE_PATH_MAX], struct sv base, struct sv path)
{
	struct join j = {.out = out};
	bool relative;

	/* What follows never makes the text longer than both together. */
	if (base.n >= STATE_PATH_MAX || path.n >= STATE_PATH_MAX - base.n)
		return SV_LIT("/DIR_TOO_LONG/FILENAME_TOO_LONG");
	relative = base.n && path.n && path.p[0] != '/';
	if (relative) {
		memcpy(out, base.p, base.n);
		j.len = base.n;
		j.had_base = true;
	}
	if (is_clean(path)) {
		if (!relative)
			return path;
		memcpy(out + base.n, path.p, path.n);
		return sv_make(out, base.n + path.n);
	}
	while (path.n)
		path = sv_drop(path, join_step(&j, path));
	if (j.len >= 2 && out[j.len - 1] == '/')
		j.len--;
	return sv_make(out, j.len);
}
