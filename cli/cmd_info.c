/* SPDX-License-Identifier: Apache-2.0 */
/* scapula info: what a capture holds, where it comes from, and what is missing. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/strict.h"
#include "cli/walk.h"

enum { OPT_STRICT = OPT_COMMAND_FIRST };

static const struct cli_option info_options[] = {
    {'f', "format", "text|json", "json: one object per capture"},
    {OPT_STRICT, "strict", NULL, "judge the bytes by the format instead; status 1 on findings"},
    {0, NULL, NULL, NULL},
};

static const char *const info_examples[] = {"info capture.scap", "info -f json a.scap b.scap.zst",
					    "info --strict capture.scap", NULL};

struct losses { /* what the recorder says it lost */
	uint64_t records, events;
	uint64_t from, to; /* from the first to the last */
	uint64_t by_reason[EV_LOSS_REASONS];
	uint64_t by_type[EV_TYPE_COUNT];
	uint64_t of_other_types; /* or of types the record does not name */
};

struct info {
	struct cli_common common;
	bool json, strict;
	/* Of the current capture: */
	const char *path;
	uint64_t by_type[EV_TYPE_COUNT];
	uint64_t visible;
	uint64_t threads, processes, fds, interfaces, users, groups;
	struct losses losses;
	struct buf out;
};

static int take_option(void *arg, int id, const char *value)
{
	struct info *o = arg;

	if (id == OPT_STRICT) {
		o->strict = true;
		return 0;
	}
	o->json = strcmp(value, "json") == 0;
	if (o->json || strcmp(value, "text") == 0)
		return 0;
	cli_log(CLI_ERROR, "--format %s: expected text or json", value);
	return CLI_USAGE;
}

static void add_loss(struct losses *l, const struct ev_loss *loss)
{
	uint64_t named = 0;

	if (!l->records || loss->from < l->from)
		l->from = loss->from;
	if (loss->to > l->to)
		l->to = loss->to;
	l->records++;
	l->events += loss->count;
	l->by_reason[loss->reason < EV_LOSS_REASONS ? loss->reason : EV_LOSS_UNKNOWN] +=
	    loss->count;
	for (unsigned i = 0; i < loss->nkinds; i++) {
		if (loss->kinds[i].type >= EV_TYPE_COUNT)
			continue;
		l->by_type[loss->kinds[i].type] += loss->kinds[i].count;
		named += loss->kinds[i].count;
	}
	if (loss->count > named)
		l->of_other_types += loss->count - named;
}

static void on_item(void *arg, struct cli_walk *w, const struct ev_item *item)
{
	struct info *o = arg;

	(void)w;
	switch (item->kind) {
	case EV_ITEM_THREAD:
		o->threads++;
		o->processes += item->thread->tid == item->thread->pid;
		break;
	case EV_ITEM_FD:
		o->fds++;
		break;
	case EV_ITEM_INTERFACE:
		o->interfaces++;
		break;
	case EV_ITEM_USER:
		o->users++;
		break;
	case EV_ITEM_GROUP:
		o->groups++;
		break;
	case EV_ITEM_LOSS:
		add_loss(&o->losses, item->loss);
		break;
	default:
		break;
	}
}

static int on_event(void *arg, struct cli_walk *w, const struct state_binding *b)
{
	struct info *o = arg;

	(void)w;
	o->by_type[b->ev->type]++;
	o->visible++;
	return 0;
}

/* --- events by name --- */

struct type_count {
	const char *name;
	uint64_t n;
};

static int more_first(const void *a, const void *b)
{
	const struct type_count *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* Versions of an event count together. Return: how many names; the caller frees *out. */
static size_t count_by_name(const uint64_t by_type[EV_TYPE_COUNT], struct type_count **out)
{
	struct type_count *t = calloc(EV_TYPE_COUNT, sizeof(*t));
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

/* --- text --- */

static void line(struct buf *b, const char *label)
{
	buf_addf(b, "%-14s", label);
}

static void text_file(struct info *o, const struct sf_reader *r)
{
	const struct sf_stats *s = sf_reader_stats(r);
	struct buf *b = &o->out;
	const char *comment;

	line(b, "capture");
	cli_safe(b, sv_of(o->path));
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
		for (size_t i = 0; i < sizeof(s->sha256); i++)
			buf_addf(b, "%02x", s->sha256[i]);
		buf_char(b, '\n');
	}
	for (size_t i = 0; (comment = sf_reader_comment(r, i)); i++) {
		line(b, "comment");
		cli_safe(b, sv_of(comment));
		buf_char(b, '\n');
	}
}

static void text_host(struct info *o, const struct state *st)
{
	const struct state_machine *m = state_machine(st);
	const struct state_stats *ss = state_stats(st);
	struct buf *b = &o->out;

	line(b, "host");
	if (m->known) {
		cli_safe(b, state_sv(m->hostname));
		buf_addf(b, ", %u CPUs, ", m->num_cpus);
		cli_bytes(b, m->memory_bytes);
		buf_lit(b, " memory, booted ");
		cli_time(b, m->boot_ts);
	} else {
		buf_lit(b, "not recorded");
	}
	buf_char(b, '\n');
	line(b, "time");
	cli_time(b, ss->first_ts);
	buf_lit(b, " to ");
	cli_time(b, ss->last_ts);
	if (ss->last_ts > ss->first_ts)
		buf_addf(b, " (%.3f s)", (double)(ss->last_ts - ss->first_ts) / 1e9);
	buf_char(b, '\n');
}

static void text_types(struct buf *b, const uint64_t by_type[EV_TYPE_COUNT])
{
	struct type_count *types;
	size_t n = count_by_name(by_type, &types);

	for (size_t i = 0; i < n; i++) {
		line(b, i ? "" : "by type");
		buf_addf(b, "%-20s ", types[i].name);
		cli_grouped(b, types[i].n);
		buf_char(b, '\n');
	}
	free(types);
}

static void text_counts(struct info *o, struct cli_walk *w)
{
	const struct sf_stats *s = sf_reader_stats(w->reader);
	struct buf *b = &o->out;

	line(b, "at start");
	buf_addf(b,
		 "%llu processes, %llu threads, %llu file descriptors, %llu interfaces, %llu "
		 "users, %llu groups\n",
		 (unsigned long long)o->processes, (unsigned long long)o->threads,
		 (unsigned long long)o->fds, (unsigned long long)o->interfaces,
		 (unsigned long long)o->users, (unsigned long long)o->groups);
	line(b, "events");
	cli_grouped(b, state_stats(w->state)->events);
	if (o->visible != state_stats(w->state)->events) {
		buf_lit(b, ", of them ");
		cli_grouped(b, o->visible);
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
	text_types(b, o->by_type);
}

static void text_losses(struct info *o)
{
	const struct losses *l = &o->losses;
	struct buf *b = &o->out;

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

static void text_damage(struct info *o, const struct sf_reader *r)
{
	const struct sf_stats *s = sf_reader_stats(r);
	struct buf *b = &o->out;
	size_t n;
	const struct sf_gap *gaps = sf_reader_gaps(r, &n);

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

/* --- JSON --- */

static void member_u64(struct buf *b, const char *name, uint64_t v)
{
	buf_addf(b, ",\"%s\":%llu", name, (unsigned long long)v);
}

static void member_time(struct buf *b, const char *name, uint64_t ts)
{
	buf_addf(b, ",\"%s\":", name);
	if (ts == 0 || ts == UINT64_MAX) {
		buf_lit(b, "null");
		return;
	}
	buf_char(b, '"');
	cli_time(b, ts);
	buf_char(b, '"');
}

static void json_gaps(struct buf *b, const struct sf_reader *r)
{
	size_t n;
	const struct sf_gap *gaps = sf_reader_gaps(r, &n);

	buf_lit(b, ",\"gaps\":[");
	for (size_t i = 0; i < n; i++) {
		buf_addf(b, "%s{\"offset\":%llu,\"bytes\":%llu,\"reason\":\"%s\",\"what\":",
			 i ? "," : "", (unsigned long long)gaps[i].offset,
			 (unsigned long long)gaps[i].bytes, sf_gap_reason_name(gaps[i].reason));
		json_string(b, sv_of(gaps[i].what));
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void json_types(struct buf *b, const uint64_t by_type[EV_TYPE_COUNT])
{
	struct type_count *types;
	size_t n = count_by_name(by_type, &types);

	buf_lit(b, ",\"by_type\":{");
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s\"%s\":%llu", i ? "," : "", types[i].name,
			 (unsigned long long)types[i].n);
	buf_char(b, '}');
	free(types);
}

static void json_losses(struct buf *b, const struct losses *l)
{
	const char *comma = "";

	buf_addf(b, ",\"losses\":{\"records\":%llu", (unsigned long long)l->records);
	member_u64(b, "events", l->events);
	member_time(b, "from", l->from);
	member_time(b, "to", l->to);
	buf_lit(b, ",\"by_reason\":{");
	for (unsigned i = 0; i < EV_LOSS_REASONS; i++) {
		if (!l->by_reason[i])
			continue;
		buf_addf(b, "%s\"%s\":%llu", comma, ev_loss_reason_name(i),
			 (unsigned long long)l->by_reason[i]);
		comma = ",";
	}
	buf_char(b, '}');
	json_types(b, l->by_type);
	member_u64(b, "of_other_types", l->of_other_types);
	buf_char(b, '}');
}

static void json_capture(struct info *o, struct cli_walk *w)
{
	const struct sf_stats *s = sf_reader_stats(w->reader);
	const struct state_machine *m = state_machine(w->state);
	const struct state_stats *ss = state_stats(w->state);
	struct buf *b = &o->out;
	const char *comment;

	buf_lit(b, "{\"path\":");
	json_string(b, sv_of(o->path));
	buf_addf(b, ",\"version\":\"%u.%u\",\"compression\":\"%s\"", s->version_major,
		 s->version_minor, sf_compression_name(s->compression));
	member_u64(b, "file_size", s->file_size);
	member_u64(b, "stream_size", s->stream_size);
	member_u64(b, "sections", s->sections);
	if (s->sha256_valid) {
		buf_lit(b, ",\"sha256\":\"");
		for (size_t i = 0; i < sizeof(s->sha256); i++)
			buf_addf(b, "%02x", s->sha256[i]);
		buf_char(b, '"');
	}
	buf_lit(b, ",\"comments\":[");
	for (size_t i = 0; (comment = sf_reader_comment(w->reader, i)); i++) {
		if (i)
			buf_char(b, ',');
		json_string(b, sv_of(comment));
	}
	buf_lit(b, "],\"hostname\":");
	json_string(b, state_sv(m->hostname));
	member_u64(b, "cpus", m->num_cpus);
	member_u64(b, "memory", m->memory_bytes);
	member_time(b, "boot", m->boot_ts);
	member_time(b, "first", ss->first_ts);
	member_time(b, "last", ss->last_ts);
	member_u64(b, "processes", o->processes);
	member_u64(b, "threads", o->threads);
	member_u64(b, "fds", o->fds);
	member_u64(b, "interfaces", o->interfaces);
	member_u64(b, "users", o->users);
	member_u64(b, "groups", o->groups);
	member_u64(b, "events", ss->events);
	member_u64(b, "events_shown", o->visible);
	if (s->urings)
		member_u64(b, "io_uring", s->urings);
	if (s->hashes || s->hashes_skipped) {
		member_u64(b, "hashes", s->hashes);
		member_u64(b, "hashes_skipped", s->hashes_skipped);
	}
	member_u64(b, "events_unknown", s->events_unknown);
	member_u64(b, "blocks_unknown", s->unknown_blocks);
	json_types(b, o->by_type);
	json_losses(b, &o->losses);
	member_u64(b, "gap_count", s->gaps);
	json_gaps(b, w->reader);
	buf_lit(b, "}\n");
}

static void on_end(void *arg, struct cli_walk *w)
{
	struct info *o = arg;

	if (o->json) {
		json_capture(o, w);
		return;
	}
	text_file(o, w->reader);
	text_host(o, w->state);
	text_counts(o, w);
	text_losses(o);
	text_damage(o, w->reader);
}

static void forget_counts(struct info *o)
{
	memset(o->by_type, 0, sizeof(o->by_type));
	o->losses = (struct losses){0};
	o->visible = o->threads = o->processes = o->fds = o->interfaces = o->users = o->groups = 0;
}

int cmd_info(int argc, char **argv)
{
	struct info o = {0};
	const struct cli_parser parser = {"info", info_options, info_examples, take_option, &o};
	struct cli_walk w = {
	    .event = on_event, .item = on_item, .end = on_end, .arg = &o, .want_hash = true};
	int first;
	int status = cli_parse(&parser, &o.common, argc, argv, &first);

	if (status)
		return status < 0 ? cli_flush() : status;
	cli_catch_signals();
	if (first == argc) {
		cli_log(CLI_ERROR, "no capture given; '-' reads standard input");
		return CLI_USAGE;
	}
	w.common = &o.common;
	for (int i = first; i < argc && !cli_interrupted(); i++) {
		forget_counts(&o);
		o.path = argv[i];
		status = cli_worse(status, o.strict ? cli_strict(argv[i], o.json, &o.out)
						    : cli_walk_capture(&w, argv[i]));
		if (i + 1 < argc && !o.json && o.out.len)
			buf_char(&o.out, '\n');
		status = cli_worse(status, cli_write(&o.out));
	}
	buf_done(&o.out);
	return cli_worse(status, cli_flush());
}
