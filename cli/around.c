/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/around.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64 /* a power of two */
/*
 * Events of different processors come a little out of order: a line waits that much longer than
 * the order of time would need.
 */
#define DISORDER_NS   1000000000u
#define COMPACT_BYTES (1u << 20)

/* --- the option --- */

static const char *skip_sign(const char *text)
{
	static const char *const signs[] = {"\xc2\xb1", "+-", "+/-"}; /* the first is ± */

	for (size_t i = 0; i < COUNT_OF(signs); i++)
		if (strncmp(text, signs[i], strlen(signs[i])) == 0)
			return text + strlen(signs[i]);
	return NULL;
}

bool cli_parse_around(const char *text, struct cli_around_spec *out)
{
	size_t digits = strspn(text, "0123456789");
	char number[24];
	const char *span;

	if (digits == 0 || digits >= sizeof(number))
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';
	*out = (struct cli_around_spec){.span = CLI_AROUND_DEFAULT};
	if (!cli_parse_u64(number, &out->event) || out->event == 0)
		return false;
	if (!text[digits])
		return true;
	span = skip_sign(text + digits);
	if (!span)
		return false;
	out->by_time = !cli_parse_u64(span, &out->span);
	return !out->by_time || cli_parse_duration(span, &out->span);
}

/* --- the ring --- */

void cli_around_done(struct cli_around *a)
{
	free(a->waiting);
	buf_done(&a->text);
}

static struct cli_waiting *waiting_at(const struct cli_around *a, size_t i)
{
	return &a->waiting[(a->first + i) & (a->room - 1)];
}

static size_t held_bytes(const struct cli_around *a)
{
	return a->text.len - a->head + a->count * sizeof(*a->waiting);
}

static void drop_oldest(struct cli_around *a)
{
	a->head += waiting_at(a, 0)->len;
	a->first = (a->first + 1) & (a->room - 1);
	a->count--;
}

static bool grow(struct cli_around *a)
{
	size_t room = a->room ? 2 * a->room : FIRST_ROOM;
	struct cli_waiting *bigger = calloc(room, sizeof(*bigger));

	if (!bigger)
		return false;
	for (size_t i = 0; i < a->count; i++)
		bigger[i] = *waiting_at(a, i);
	free(a->waiting);
	a->waiting = bigger;
	a->first = 0;
	a->room = room;
	return true;
}

/* Move the lines to the start of their buffer once more than half of it is gone. */
static void compact(struct cli_around *a)
{
	if (a->head < COMPACT_BYTES || a->head < a->text.len / 2)
		return;
	memmove(a->text.p, a->text.p + a->head, a->text.len - a->head);
	a->text.len -= a->head;
	a->head = 0;
}

/* Is the oldest line out of reach, wherever the event may be? */
static bool is_too_old(const struct cli_around *a, uint64_t now)
{
	uint64_t then = waiting_at(a, 0)->ts;

	if (!a->spec.by_time)
		return a->count > a->spec.span;
	return now > then && now - then > DISORDER_NS && now - then - DISORDER_NS > a->spec.span;
}

int cli_around_wait(struct cli_around *a, uint64_t ts, struct sv line)
{
	if (!a->before++)
		a->first_ts = ts;
	if (a->count == a->room && !grow(a))
		return ERR_NOMEM;
	*waiting_at(a, a->count++) = (struct cli_waiting){ts, line.n};
	buf_sv(&a->text, line);
	if (a->text.failed)
		return ERR_NOMEM;
	while (a->count && is_too_old(a, ts))
		drop_oldest(a);
	while (a->count && held_bytes(a) > CLI_AROUND_BYTES) {
		a->cut_ts = waiting_at(a, 0)->ts;
		drop_oldest(a);
	}
	compact(a);
	return 0;
}

/* --- the event --- */

static bool is_cut(const struct cli_around *a, uint64_t begin, struct buf *why)
{
	uint64_t wanted = a->before < a->spec.span ? a->before : a->spec.span;

	if (!a->cut_ts || (a->spec.by_time ? a->cut_ts < begin : wanted <= a->count))
		return false;
	if (begin < a->first_ts)
		begin = a->first_ts;
	if (a->spec.by_time)
		buf_addf(why, "the first %.6f s before event %llu are cut",
			 (double)(a->cut_ts - begin) / 1e9, (unsigned long long)a->spec.event);
	else
		buf_addf(why, "%llu of the %llu events before event %llu are cut",
			 (unsigned long long)(wanted - a->count), (unsigned long long)wanted,
			 (unsigned long long)a->spec.event);
	buf_addf(why, ": their lines take more than %u MiB", CLI_AROUND_BYTES >> 20);
	return true;
}

bool cli_around_found(struct cli_around *a, uint64_t ts, struct buf *out, struct buf *why)
{
	uint64_t begin = a->spec.by_time && a->spec.span < ts ? ts - a->spec.span : 0;
	bool cut = is_cut(a, begin, why);

	a->found = true;
	a->event_ts = ts;
	for (; a->count; drop_oldest(a))
		if (waiting_at(a, 0)->ts >= begin)
			buf_add(out, a->text.p + a->head, waiting_at(a, 0)->len);
	return !cut;
}

bool cli_around_goes_on(const struct cli_around *a, uint64_t ts)
{
	if (!a->spec.by_time)
		return a->after < a->spec.span;
	return ts <= a->event_ts || ts - a->event_ts <= a->spec.span;
}
