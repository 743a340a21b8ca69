/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text files of conditions and what is expected of them. A line "%%WORD" starts a group, which ends
 * before the next one; empty lines and lines starting with "##" are skipped.
 */
#ifndef ENGINE_FILTER_TESTS_GROUPS_H
#define ENGINE_FILTER_TESTS_GROUPS_H

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

#define GROUP_LINES_MAX 256

struct group {
	char name[32];
	unsigned line; /* of its header in the file */
	struct sv lines[GROUP_LINES_MAX];
	size_t count;
};

static inline struct sv read_whole_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct buf b = {0};
	size_t n;

	if (!f)
		return SV_NONE;
	do {
		char *room = buf_room(&b, 65536);

		n = fread(room, 1, 65536, f);
		b.len += n;
	} while (n);
	fclose(f);
	return buf_view(&b);
}

/* The next line of *@text, without its end. */
static inline bool next_line(struct sv *text, struct sv *line)
{
	const char *end;

	if (!text->n)
		return false;
	end = memchr(text->p, '\n', text->n);
	*line = sv_make(text->p, end ? (size_t)(end - text->p) : text->n);
	*text = sv_drop(*text, line->n + 1);
	return true;
}

/* Call @check on each group of the file. Return: how many there were. */
static inline unsigned for_each_group(const char *path, void (*check)(const struct group *g))
{
	struct sv whole = read_whole_file(path), text = whole, line;
	struct group g = {.count = 0};
	unsigned groups = 0, number = 0;

	while (next_line(&text, &line)) {
		number++;
		if (sv_starts(line, SV_LIT("%%"))) {
			if (groups++)
				check(&g);
			g = (struct group){.line = number};
			snprintf(g.name, sizeof(g.name), "%.*s", (int)line.n - 2, line.p + 2);
		} else if (line.n && !sv_starts(line, SV_LIT("##")) && g.count < GROUP_LINES_MAX) {
			g.lines[g.count++] = line;
		}
	}
	if (groups)
		check(&g);
	free((void *)(uintptr_t)whole.p);
	return groups;
}

#endif
