/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/info.h"

#include <stdlib.h>
#include <string.h>

#include "cli/inputs.h"

#define SHOWN_MAX 12 /* names in a line; further ones are counted */

/* --- events by name --- */

static int more_first(const void *a, const void *b)
{
	const struct cli_type_count *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return strcmp(x->name, y->name);
}

size_t cli_count_by_name(const uint64_t by_type[EV_TYPE_COUNT], struct cli_type_count **out)
{
	struct cli_type_count *t = calloc(EV_TYPE_COUNT, sizeof(*t));
	size_t n = 0;

	*out = t;
	if (!t)
		return 0;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		size_t i = 0;

		if (!by_type[type])
			continue;
		while (i < n && strcmp(t[i].name, ev_table[type].name) != 0)
			i++;
		t[i].name = ev_table[type].name;
		t[i].n += by_type[type];
		n += i == n;
	}
	qsort(t, n, sizeof(*t), more_first);
	return n;
}

bool cli_lacks(const struct run_facts *f, enum run_capability i)
{
	return f->capabilities[i].of && !f->capabilities[i].have;
}

/* --- lines --- */

static void line(struct buf *b, const char *label)
{
	buf_addf(b, "%-14s", label);
}

static void safe(struct buf *b, struct sv s)
{
	cli_safe(b, s);
}

static void plural(struct buf *b, uint64_t n, const char *what)
{
	cli_grouped(b, n);
	buf_addf(b, " %s%s", what, n == 1 ? "" : "s");
}

static void digest(struct buf *b, const uint8_t d[32])
{
	for (size_t i = 0; i < 32; i++)
		buf_addf(b, "%02x", d[i]);
}

static void text_file(struct buf *b, const struct cli_info *o)
{
	const struct sf_stats *s = &o->facts.stats;

	line(b, "capture");
	safe(b, sv_of(o->path));
	buf_char(b, '\n');
	line(b, "format");
	buf_addf(b, "scap %u.%u, %s, ", s->version_major, s->version_minor,
		 sf_compression_name(s->compression));
	cli_bytes(b, s->file_size);
	if (s->compression != SF_PLAIN) {
		buf_lit(b, " (");
		cli_bytes(b, s->stream_size);
		buf_lit(b, " uncompressed)");
	}
	buf_addf(b, ", %u section%s\n", s->sections, s->sections == 1 ? "" : "s");
	if (s->sha256_valid) {
		line(b, "sha256");
		digest(b, s->sha256);
		buf_char(b, '\n');
	}
	if (o->indexed) {
		line(b, "indexed");
		buf_lit(b, "what follows is as of when the index was made; the file's size, time, "
			   "head and tail are the same\n");
	}
	for (size_t i = 0; i < o->facts.comment_count; i++) {
		line(b, "comment");
		safe(b, o->facts.comments[i]);
		buf_char(b, '\n');
	}
}

/* --- the seal --- */

static void text_command(struct buf *b, const char *const *argv)
{
	struct buf quoted = {0};
	int n = 0;

	while (argv[n])
		n++;
	cli_quote_command(&quoted, n, (char **)(uintptr_t)argv);
	safe(b, buf_view(&quoted));
	buf_done(&quoted);
}

static void text_seal(struct buf *b, const struct cli_info *o)
{
	static const char *const verdicts[] = {
	    [SF_SEAL_INTACT] = "there, of a capture of this size; 'scapula verify' checks it",
	    [SF_SEAL_PREFIX] = "there, without an end; 'scapula verify' checks what it covers",
	    [SF_SEAL_ALTERED] = "of a capture of another size: this one was changed",
	    [SF_SEAL_BROKEN] = "damaged",
	};
	const struct sf_seal_status *s = &o->seal;

	line(b, "seal");
	if (s->verdict == SF_SEAL_NONE) {
		buf_lit(b, "none\n");
		return;
	}
	buf_str(b, verdicts[s->verdict]);
	buf_addf(b, "; %s%s, ", sf_seal_origin_name(s->origin), s->tagged ? ", with tags" : "");
	plural(b, s->frames, "frame");
	buf_char(b, '\n');
}

static bool is_said(const char *text)
{
	return text && *text;
}

static void text_lineage(struct buf *b, const struct sf_seal_lineage *l)
{
	if (!is_said(l->operation))
		return;
	line(b, "made by");
	safe(b, sv_of(l->operation));
	if (is_said(l->reason)) {
		buf_lit(b, ", because: ");
		safe(b, sv_of(l->reason));
	}
	buf_lit(b, "\n              ");
	text_command(b, l->argv);
	buf_char(b, '\n');
	for (size_t i = 0; i < l->nparents; i++) {
		line(b, i ? "" : "made of");
		safe(b, sv_of(l->parents[i].name));
		buf_lit(b, ", ");
		cli_bytes(b, l->parents[i].size);
		if (l->parents[i].hashed) {
			buf_lit(b, ", sha256 ");
			digest(b, l->parents[i].sha256);
		}
		buf_char(b, '\n');
	}
}

static void text_writer(struct buf *b, const struct cli_info *o)
{
	const struct sf_seal_facts *f = &o->words.facts;
	const struct sf_stats *s = &o->facts.stats;

	line(b, "writer");
	if (is_said(f->tool))
		safe(b, sv_of(f->tool));
	else if (s->losses + s->urings + s->hashes + s->hashes_skipped)
		buf_lit(b, "scapula, as events of its own show");
	else
		buf_lit(b, "not recorded");
	buf_char(b, '\n');
	if (is_said(f->kernel)) {
		line(b, "kernel");
		safe(b, sv_of(f->kernel));
		if (is_said(f->machine))
			buf_char(b, ' ');
		safe(b, sv_of(f->machine));
		buf_char(b, '\n');
	}
}

/* --- the host --- */

static void text_host(struct buf *b, const struct run_facts *f)
{
	line(b, "host");
	if (f->machine_known) {
		safe(b, f->hostname);
		buf_addf(b, ", %u CPUs, ", f->num_cpus);
		cli_bytes(b, f->memory_bytes);
		buf_lit(b, " memory, booted ");
		cli_time(b, f->boot_ts);
	} else {
		buf_lit(b, "not recorded");
	}
	buf_char(b, '\n');
	line(b, "time");
	cli_time(b, f->state.first_ts);
	buf_lit(b, " to ");
	cli_time(b, f->state.last_ts);
	if (f->state.last_ts > f->state.first_ts)
		buf_addf(b, " (%.3f s)", (double)(f->state.last_ts - f->state.first_ts) / 1e9);
	buf_char(b, '\n');
}

static void text_clock(struct buf *b, const struct cli_info *o)
{
	const struct run_facts *f = &o->facts;

	if (f->steps) {
		line(b, "clock");
		buf_lit(b, "times go back ");
		plural(b, f->steps, "time");
		buf_addf(b, ", %.3f s at most\n", (double)f->step_max / 1e9);
	}
	if (o->seal.nsteps) {
		line(b, f->steps ? "" : "clock");
		buf_lit(b, "set ");
		plural(b, o->seal.nsteps, "time");
		buf_lit(b, " while it was recorded, says the seal\n");
	}
}

static void more_than(struct buf *b, size_t n, uint64_t more)
{
	if (n > SHOWN_MAX)
		more += n - SHOWN_MAX;
	if (more)
		buf_addf(b, " and %llu more", (unsigned long long)more);
	buf_char(b, '\n');
}

static void text_people(struct buf *b, const struct run_facts *f)
{
	if (!f->people_count)
		return;
	line(b, "users");
	for (size_t i = 0; i < f->people_count && i < SHOWN_MAX; i++) {
		buf_str(b, i ? ", " : "");
		if (f->people[i].name.n)
			safe(b, f->people[i].name);
		else
			buf_u64(b, f->people[i].uid);
	}
	more_than(b, f->people_count, f->people_more);
}

static void text_containers(struct buf *b, const struct run_facts *f)
{
	if (!f->container_count)
		return;
	line(b, "containers");
	for (size_t i = 0; i < f->container_count && i < SHOWN_MAX; i++) {
		const struct run_fact_container *c = &f->containers[i];

		buf_str(b, i ? ", " : "");
		safe(b, c->name.n ? c->name : c->id);
		if (!c->image.n)
			continue;
		buf_lit(b, " (");
		safe(b, c->image);
		buf_char(b, ')');
	}
	more_than(b, f->container_count, f->containers_more);
}

/* --- what is in it --- */

static void text_types(struct buf *b, const uint64_t by_type[EV_TYPE_COUNT])
{
	struct cli_type_count *types;
	size_t n = cli_count_by_name(by_type, &types);

	for (size_t i = 0; i < n; i++) {
		line(b, i ? "" : "by type");
		buf_addf(b, "%-20s ", types[i].name);
		cli_grouped(b, types[i].n);
		buf_char(b, '\n');
	}
	free(types);
}

static void text_counts(struct buf *b, const struct run_facts *f)
{
	const struct sf_stats *s = &f->stats;

	line(b, "at start");
	buf_addf(b,
		 "%llu processes, %llu threads, %llu file descriptors, %llu interfaces, %llu "
		 "users, %llu groups\n",
		 (unsigned long long)f->processes, (unsigned long long)f->threads,
		 (unsigned long long)f->fds, (unsigned long long)f->interfaces,
		 (unsigned long long)f->users, (unsigned long long)f->groups);
	line(b, "events");
	cli_grouped(b, f->state.events);
	if (f->visible != f->state.events) {
		buf_lit(b, ", of them ");
		cli_grouped(b, f->visible);
		buf_lit(b, " shown; the rest only carries state");
	}
	buf_char(b, '\n');
	if (s->urings) {
		line(b, "io_uring");
		buf_addf(b, "%llu operations\n", (unsigned long long)s->urings);
	}
	if (s->hashes || s->hashes_skipped) {
		line(b, "hashes");
		buf_addf(b, "%llu files", (unsigned long long)s->hashes);
		if (s->hashes_skipped)
			buf_addf(b, "; %llu executions without",
				 (unsigned long long)s->hashes_skipped);
		buf_char(b, '\n');
	}
	if (s->events_unknown || s->unknown_blocks) {
		line(b, "newer");
		buf_addf(b,
			 "%llu events and %llu blocks of kinds this version does not know were "
			 "skipped\n",
			 (unsigned long long)s->events_unknown,
			 (unsigned long long)s->unknown_blocks);
	}
	text_types(b, f->by_type);
}

static void text_buffers(struct buf *b, const struct run_facts *f)
{
	if (!f->buffers)
		return;
	line(b, "buffers");
	if (f->buffers_cut)
		buf_addf(b, "cut to at most %llu bytes: %.0f %% are not whole",
			 (unsigned long long)f->buffer_max,
			 100.0 * (double)f->buffers_cut / (double)f->buffers);
	else
		buf_addf(b, "whole, %llu bytes at most", (unsigned long long)f->buffer_max);
	buf_addf(b, " (of 1 in %d)\n", RUN_FACTS_SAMPLE);
}

static void text_missing(struct buf *b, const struct run_facts *f)
{
	unsigned rows = 0;

	for (unsigned i = 0; i < RUN_CAPABILITIES; i++) {
		if (!cli_lacks(f, i))
			continue;
		line(b, rows++ ? "" : "missing");
		buf_addf(b, "%s: %s\n", run_capabilities[i].what, run_capabilities[i].fields);
	}
}

static void text_losses(struct buf *b, const struct run_losses *l)
{
	if (!l->records)
		return;
	line(b, "lost");
	cli_grouped(b, l->events);
	buf_addf(b, " event%s in %llu record%s, ", l->events == 1 ? "" : "s",
		 (unsigned long long)l->records, l->records == 1 ? "" : "s");
	cli_time(b, l->from);
	buf_lit(b, " to ");
	cli_time(b, l->to);
	buf_char(b, '\n');
	for (unsigned i = 0, rows = 0; i < EV_LOSS_REASONS; i++) {
		if (!l->by_reason[i])
			continue;
		line(b, rows++ ? "" : "by reason");
		buf_addf(b, "%-20s ", ev_loss_reason_name(i));
		cli_grouped(b, l->by_reason[i]);
		buf_char(b, '\n');
	}
	text_types(b, l->by_type);
	if (l->of_other_types && l->of_other_types != l->events) {
		line(b, "");
		buf_lit(b, "of other types       ");
		cli_grouped(b, l->of_other_types);
		buf_char(b, '\n');
	}
}

static void text_damage(struct buf *b, const struct run_facts *f)
{
	const struct sf_stats *s = &f->stats;
	const struct sf_gap *gaps = f->gaps;
	size_t n = f->gap_count;

	line(b, "damage");
	if (!s->gaps) {
		buf_lit(b, "none\n");
		return;
	}
	buf_addf(b, "%llu gap%s\n", (unsigned long long)s->gaps, s->gaps == 1 ? "" : "s");
	for (size_t i = 0; i < n; i++) {
		line(b, "");
		buf_addf(b, "offset %llu, %llu bytes, %s: ", (unsigned long long)gaps[i].offset,
			 (unsigned long long)gaps[i].bytes, sf_gap_reason_name(gaps[i].reason));
		cli_safe(b, sv_of(gaps[i].what));
		buf_char(b, '\n');
	}
	if (s->gaps > n) {
		line(b, "");
		buf_addf(b, "and %llu more\n", (unsigned long long)(s->gaps - n));
	}
}

void cli_info_text(struct buf *b, const struct cli_info *o)
{
	const struct run_facts *f = &o->facts;

	text_file(b, o);
	text_seal(b, o);
	text_lineage(b, &o->words.lineage);
	text_writer(b, o);
	text_host(b, f);
	text_clock(b, o);
	text_people(b, f);
	text_containers(b, f);
	text_counts(b, f);
	text_buffers(b, f);
	text_losses(b, &f->losses);
	text_missing(b, f);
	text_damage(b, f);
}
