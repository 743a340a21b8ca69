/* SPDX-License-Identifier: Apache-2.0 */
/* scapula merge: files of one recording, or recordings of several hosts, as one capture. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/merge.h"

enum { OPT_JOIN = OPT_COMMAND_FIRST, OPT_SKEW };

#define SKEWS_MAX 1000

static const struct cli_option merge_options[] = {
    SURGERY_OPTIONS,
    SURGERY_KEEP_OPTION,
    {OPT_JOIN, "join", NULL,
     "inputs of one host continue each other, however they are named and whatever lies between"},
    {OPT_SKEW, "skew", "NAME=DURATION",
     "the clock of that input or host was behind by DURATION, or ahead by -DURATION"},
    {0, NULL, NULL, NULL},
};

static const char *const merge_examples[] = {
    "merge web.0001.scap.zst web.0002.scap.zst -o web.scap.zst",
    "merge web.scap.zst db.scap.zst --skew db=-1.5s -o both.scap.zst", NULL};

struct skew {
	const char *name;
	size_t len;
	int64_t ns;
	bool used;
};

struct merge_command {
	struct merge m;
	struct cli_common common;
	struct skew skews[SKEWS_MAX];
	size_t nskews;
};

static int take_skew(struct merge_command *o, const char *value)
{
	const char *by = strrchr(value, '=');
	bool back = by && by[1] == '-';
	uint64_t ns;

	if (!by || by == value || !cli_parse_duration(by + 1 + back, &ns) || ns > INT64_MAX) {
		cli_log(CLI_ERROR,
			"--skew %s: expected an input or host and a duration, as in web-2=1.5s or "
			"web-2=-300ms",
			value);
		return CLI_USAGE;
	}
	if (o->nskews == SKEWS_MAX) {
		cli_log(CLI_ERROR, "over %d times --skew", SKEWS_MAX);
		return CLI_USAGE;
	}
	o->skews[o->nskews++] = (struct skew){
	    .name = value, .len = (size_t)(by - value), .ns = back ? -(int64_t)ns : (int64_t)ns};
	return 0;
}

static int take_option(void *arg, int id, const char *value)
{
	struct merge_command *o = arg;

	switch (id) {
	case OPT_JOIN:
		o->m.join = true;
		return 0;
	case OPT_SKEW:
		return take_skew(o, value);
	default:
		return surgery_take(&o->m.surgery.opt, id, value);
	}
}

/* ---- whose clock ---- */

static bool is_named(const char *name, size_t len, struct sv by)
{
	return by.n == len && memcmp(name, by.p, len) == 0;
}

/* The host an input begins with, if that can be told; what cannot be read is told later. */
static char *host_of(const char *path)
{
	struct sf_reader *r = NULL;
	struct ev_item item;
	char *host = NULL;

	if (sf_reader_open(path, NULL, &r, NULL) < 0)
		return NULL;
	while (!host && ev_source_next(sf_reader_source(r), &item, NULL) > 0 &&
	       item.kind != EV_ITEM_EVENT)
		if (item.kind == EV_ITEM_MACHINE)
			host = strndup(item.machine->hostname.p ? item.machine->hostname.p : "",
				       item.machine->hostname.n);
	sf_reader_close(r);
	return host;
}

static void set_skew(struct merge_command *o, struct merge_input *in)
{
	const char *base = strrchr(in->path, '/');
	char *host = o->nskews ? host_of(in->path) : NULL;

	base = base ? base + 1 : in->path;
	for (size_t i = 0; i < o->nskews; i++) {
		struct skew *k = &o->skews[i];

		if (!is_named(k->name, k->len, sv_of(in->path)) &&
		    !is_named(k->name, k->len, sv_of(base)) &&
		    !(host && is_named(k->name, k->len, sv_of(host))))
			continue;
		in->skew = k->ns;
		in->has_skew = k->used = true;
	}
	free(host);
}

static int set_skews(struct merge_command *o)
{
	for (size_t i = 0; i < o->m.ninputs; i++)
		set_skew(o, &o->m.inputs[i]);
	for (size_t i = 0; i < o->nskews; i++) {
		if (o->skews[i].used)
			continue;
		cli_log(CLI_ERROR, "--skew %s: no input and no host of one is called that",
			o->skews[i].name);
		return CLI_USAGE;
	}
	return 0;
}

static int set_inputs(struct merge_command *o, char **paths, size_t n)
{
	o->m.inputs = calloc(n ? n : 1, sizeof(*o->m.inputs));
	if (!o->m.inputs) {
		cli_log(CLI_ERROR, "out of memory");
		return CLI_INTERNAL;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(paths[i], "-") == 0) {
			cli_log(CLI_ERROR, "inputs are read twice, which standard input cannot be");
			return CLI_USAGE;
		}
		o->m.inputs[o->m.ninputs++].path = paths[i];
	}
	return 0;
}

/* ---- what is told ---- */

static struct sv hostname(const struct merge_stream *st)
{
	return st->first->machine.known ? st->first->machine.facts.hostname : SV_LIT("?");
}

static void tell_streams(const struct merge *m)
{
	struct sv first = hostname(&m->streams[0]);

	if (!m->woven)
		return;
	for (size_t i = 1; i < m->nstreams; i++) {
		struct sv host = hostname(&m->streams[i]);

		cli_log(CLI_NOTE, "%.*s, from %s on: thread ids are shifted by %lld", (int)host.n,
			host.p, m->inputs[m->streams[i].first->input].path,
			(long long)m->streams[i].shift.ids);
	}
	cli_log(CLI_NOTE, "readers will see one host, '%.*s'", (int)first.n, first.p);
	if (m->conflicts)
		cli_log(CLI_NOTE,
			"%llu numbers of users or groups have several names; the first input's is "
			"kept",
			(unsigned long long)m->conflicts);
}

static void tell_duplicates(const struct merge *m)
{
	if (m->duplicates)
		cli_log(CLI_NOTE, "%llu events that several inputs hold are there once",
			(unsigned long long)m->duplicates);
}

static void add_stream(struct buf *b, const struct merge *m, const struct merge_stream *st)
{
	const char *comma = "";

	buf_lit(b, "{\"host\":");
	json_string(b, st->first->machine.known ? hostname(st) : SV_NONE);
	buf_addf(b, ",\"ids_shifted_by\":%lld,\"events\":%llu,\"inputs\":[",
		 (long long)st->shift.ids, (unsigned long long)st->events);
	for (const struct merge_part *p = st->first; p; p = p->next) {
		const struct merge_input *in = &m->inputs[p->input];

		buf_addf(b, "%s{\"input\":%zu,\"section\":%u", comma, p->input, p->section);
		if (in->has_skew)
			buf_addf(b, ",\"asserted_skew_ns\":%lld", (long long)in->skew);
		if (p->missing)
			buf_addf(b, ",\"files_missing_before\":%u", p->missing);
		buf_char(b, '}');
		comma = ",";
	}
	buf_lit(b, "]}");
}

static void set_details(struct merge *m)
{
	struct buf *b = &m->surgery.details;

	buf_addf(b, ",\"woven\":%s,\"streams\":[", m->woven ? "true" : "false");
	for (size_t i = 0; i < m->nstreams; i++) {
		if (i)
			buf_char(b, ',');
		add_stream(b, m, &m->streams[i]);
	}
	buf_addf(b, "],\"events_in_several_inputs\":%llu", (unsigned long long)m->duplicates);
}

static int merge_all(struct merge_command *o)
{
	struct merge *m = &o->m;
	int status = set_skews(o);

	if (!status)
		status = cli_merge_plan(m);
	if (!status)
		status = cli_merge_write(m);
	if (status)
		return status;
	tell_streams(m);
	tell_duplicates(m);
	set_details(m);
	return 0;
}

int cmd_merge(int argc, char **argv)
{
	struct merge_command o = {0};
	const struct cli_parser parser = {"merge", merge_options, merge_examples, take_option, &o};
	struct surgery *s = &o.m.surgery;
	int first;
	int status = cli_parse(&parser, &o.common, argc, argv, &first);

	if (status)
		return status < 0 ? cli_flush() : status;
	s->operation = "merge";
	s->common = &o.common;
	s->argc = argc;
	s->argv = argv;
	status = set_inputs(&o, argv + first, (size_t)(argc - first));
	if (!status)
		status = surgery_begin(s, argv + first, (size_t)(argc - first));
	if (!status)
		status = merge_all(&o);
	status = surgery_end(s, status);
	cli_merge_done(&o.m);
	return status;
}
