/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tests/live_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/defs.h"

#define LINE 512

struct row { /* of truth.tsv */
	char event[64], hook[128], binary[64], outcomes[16];
};

void live_note_compared(struct live_event *e, unsigned param)
{
	struct live_seen *s = &e->live->seen[e->type];

	if (e->failed)
		s->in_failure |= 1u << param;
	else
		s->in_success |= 1u << param;
}

static int type_of(const char *enum_name)
{
	for (int type = 0; type < EV_TYPE_COUNT; type++)
		if (!strcmp(ev_table[type].enum_name, enum_name))
			return type;
	return -1;
}

/* Tell what is missing of one outcome. Return: whether anything is. */
static bool lacks(const struct live *l, int type, const char *outcome, unsigned times,
		  uint32_t compared)
{
	const struct ev_info *info = &ev_table[type];
	bool lacking = false;

	if (!times) {
		fprintf(stderr, "%s: no test saw %s with %s\n", l->name, info->enum_name, outcome);
		return true;
	}
	for (unsigned i = 0; i < info->nparams; i++) {
		if (compared >> i & 1)
			continue;
		fprintf(stderr, "%s: no test compared %s of %s with %s\n", l->name,
			info->params[i].name, info->enum_name, outcome);
		lacking = true;
	}
	return lacking;
}

static bool row_lacks(const struct live *l, const struct row *r)
{
	int type = type_of(r->event);
	const struct live_seen *s = &l->seen[type < 0 ? 0 : type];
	bool lacking = type < 0;

	if (lacking)
		fprintf(stderr, "truth.tsv: there is no event %s\n", r->event);
	if (!lacking && strcmp(r->outcomes, "failure"))
		lacking |= lacks(l, type, "success", s->successes, s->in_success);
	if (!lacking && strcmp(r->outcomes, "success"))
		lacking |= lacks(l, type, "failure", s->failures, s->in_failure);
	return lacking;
}

unsigned live_truth_missing(const struct live *l)
{
	FILE *f = fopen(SOURCE_DIR "/capture/tests/truth.tsv", "r");
	char line[LINE];
	unsigned missing = 0;
	struct row r;

	if (!f) {
		perror(SOURCE_DIR "/capture/tests/truth.tsv");
		return 1;
	}
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63[^\t]\t%127[^\t]\t%63[^\t]\t%15[^\t\n]", r.event, r.hook,
			   r.binary, r.outcomes) == 4 &&
		    !strcmp(r.binary, l->name))
			missing += row_lacks(l, &r);
	}
	fclose(f);
	return missing;
}

size_t live_split(char *line, char *cell[], size_t max)
{
	size_t n = 0;

	for (char *at = line; at && n < max; n++) {
		cell[n] = at;
		at = strpbrk(at, "\t\n");
		if (at)
			*at++ = '\0';
	}
	return n;
}
