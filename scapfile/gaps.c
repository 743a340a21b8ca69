/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void sf_gaps_done(struct sf_gaps *g)
{
	free(g->list);
	*g = (struct sf_gaps){0};
}

/* Room for one more description. Return: false if there is none: then the gap is only counted. */
static bool gap_room(struct sf_gaps *g)
{
	size_t cap = g->cap ? g->cap * 2 : 8;
	struct sf_gap *list;

	if (g->count == SF_GAPS_MAX)
		return false;
	if (g->count < g->cap)
		return true;
	list = realloc(g->list, cap * sizeof(*list));
	if (!list)
		return false;
	g->list = list;
	g->cap = cap;
	return true;
}

/* The place of a gap at @offset in file order. Some are known only when their end is: those go
 * further up. */
static struct sf_gap *gap_slot(struct sf_gaps *g, uint64_t offset)
{
	size_t i = g->count++;

	for (; i > 0 && g->list[i - 1].offset > offset; i--)
		g->list[i] = g->list[i - 1];
	return &g->list[i];
}

void sf_gap_add(struct sf_gaps *g, enum sf_gap_reason reason, uint64_t offset, uint64_t bytes,
		const char *fmt, ...)
{
	struct sf_gap *gap;
	va_list ap;

	++*g->total;
	if (!gap_room(g))
		return;
	gap = gap_slot(g, offset);
	gap->offset = offset;
	gap->bytes = bytes;
	gap->reason = reason;
	va_start(ap, fmt);
	vsnprintf(gap->what, sizeof(gap->what), fmt, ap);
	va_end(ap);
}

const char *sf_gap_reason_name(enum sf_gap_reason r)
{
	switch (r) {
	case SF_GAP_TRUNCATED:
		return "truncated";
	case SF_GAP_COMPRESSION:
		return "compression";
	case SF_GAP_FRAMING:
		return "framing";
	case SF_GAP_BLOCK:
		return "block";
	case SF_GAP_EVENT:
		return "event";
	case SF_GAP_RECORDED:
		return "recorded";
	}
	return "unknown";
}

const char *sf_compression_name(enum sf_compression c)
{
	switch (c) {
	case SF_PLAIN:
		return "plain";
	case SF_GZIP:
		return "gzip";
	case SF_ZSTD:
		return "zstd";
	}
	return "unknown";
}
