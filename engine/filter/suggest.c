/* SPDX-License-Identifier: Apache-2.0 */
/* The field that a misspelt name was probably meant to be. */
#include "engine/filter/fields.h"

#define NAME_MAX_COMPARED 48
#define DISTANCE_MAX	  3

static unsigned min_of(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/*
 * How many letters have to be changed, added, left out or swapped with their neighbour to make @b
 * of @a; both have at most NAME_MAX_COMPARED bytes.
 */
static unsigned distance(struct sv a, struct sv b)
{
	unsigned rows[3][NAME_MAX_COMPARED + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];

	for (unsigned k = 0; k <= b.n; k++)
		last[k] = k;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *spare = before;

		row[0] = i;
		for (unsigned k = 1; k <= b.n; k++) {
			row[k] = last[k - 1] + (a.p[i - 1] != b.p[k - 1]);
			row[k] = min_of(row[k], min_of(last[k], row[k - 1]) + 1);
			if (i > 1 && k > 1 && a.p[i - 1] == b.p[k - 2] && a.p[i - 2] == b.p[k - 1])
				row[k] = min_of(row[k], before[k - 2] + 1);
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[b.n];
}

const char *flt_field_suggest(struct sv name)
{
	unsigned best = min_of((unsigned)name.n / 4, DISTANCE_MAX) + 1;
	const char *found = NULL;

	if (name.n > NAME_MAX_COMPARED)
		return NULL;
	for (size_t i = 0; i < flt_field_count; i++) {
		const struct flt_field_info *f = &flt_field_table[i];
		struct sv other = sv_of(f->name);
		unsigned d;

		if (f->flags & (FLT_FIELD_HIDDEN | FLT_FIELD_DEPRECATED) ||
		    other.n > NAME_MAX_COMPARED)
			continue;
		d = distance(name, other);
		if (d < best) {
			best = d;
			found = f->name;
		}
	}
	return found;
}
