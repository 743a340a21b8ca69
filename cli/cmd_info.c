/* SPDX-License-Identifier: Apache-2.0 */
/* scapula info: what a capture holds, where it comes from, and what is missing. */
#include <stdlib.h>
#include <string.h>

#include "cli/index.h"
#include "cli/info.h"
#include "cli/strict.h"
#include "cli/table.h"
#include "cli/walk.h"
#include "replay/checkpoint.h"

enum {
	OPT_STRICT = OPT_COMMAND_FIRST,
	OPT_TABLE,
};

static const struct cli_option info_options[] = {
    {'f', "format", "text|json", "json: one object per capture"},
    {OPT_TABLE, "table", NULL, "only a row per capture, and what they hold together"},
    {OPT_STRICT, "strict", NULL, "judge the bytes by the format instead; status 1 on findings"},
    CLI_OPTION_NO_INDEX,
    {0, NULL, NULL, NULL},
};

static const char *const info_examples[] = {"info capture.scap", "info -f json a.scap b.scap.zst",
					    "info --table *.scap.zst", "info --strict capture.scap",
					    NULL};

enum {
	COL_CAPTURE,
	COL_HOST,
	COL_FROM,
	COL_TO,
	COL_EVENTS,
	COL_LOST,
	COL_GAPS,
	COL_SIZE,
	COL_SEAL,
};

static const struct table_column info_columns[] = {
    [COL_CAPTURE] = {"capture", "CAPTURE", TABLE_STRING, IN_TEXT, 0},
    [COL_HOST] = {"host", "HOST", TABLE_STRING, IN_TEXT, 0},
    [COL_FROM] = {"first", "FIRST", TABLE_STRING, IN_TEXT, 0},
    [COL_TO] = {"last", "LAST", TABLE_STRING, IN_TEXT, 0},
    [COL_EVENTS] = {"events", "EVENTS", TABLE_NUMBER, IN_TEXT, 0},
    [COL_LOST] = {"lost", "LOST", TABLE_NUMBER, IN_TEXT, 0},
    [COL_GAPS] = {"gaps", "GAPS", TABLE_NUMBER, IN_TEXT, 0},
    [COL_SIZE] = {"size", "SIZE", TABLE_NUMBER, IN_TEXT, 0},
    [COL_SEAL] = {"seal", "SEAL", TABLE_STRING, IN_TEXT, 0},
    {NULL, NULL, 0, 0, 0},
};

struct totals {
	uint64_t captures, events, lost, gaps, size, first_ts, last_ts;
};

struct info {
	struct cli_common common;
	bool json, strict;
	struct table *table; /* with --table */
	bool as_table;
	struct totals totals;
	struct cli_info one; /* the current capture */
	int status;
	struct buf out;
};

static int take_option(void *arg, int id, const char *value)
{
	struct info *o = arg;

	switch (id) {
	case OPT_STRICT:
		o->strict = true;
		return 0;
	case OPT_TABLE:
		o->as_table = true;
		return 0;
	default:
		break;
	}
	o->json = strcmp(value, "json") == 0;
	if (o->json || strcmp(value, "text") == 0)
		return 0;
	cli_log(CLI_ERROR, "--format %s: expected text or json", value);
	return CLI_USAGE;
}

/* --- the table --- */

static void time_cell(struct info *o, unsigned column, uint64_t ts)
{
	struct buf b = {0};

	cli_time(&b, ts);
	table_string(o->table, column, buf_view(&b));
	buf_done(&b);
}

static void number_cell(struct info *o, unsigned column, uint64_t n)
{
	struct buf b = {0};

	if (column == COL_SIZE)
		cli_bytes(&b, n);
	else
		cli_grouped(&b, n);
	table_string(o->table, column, buf_view(&b));
	buf_done(&b);
}

static void row(struct info *o, const struct totals *t)
{
	time_cell(o, COL_FROM, t->first_ts);
	time_cell(o, COL_TO, t->last_ts);
	number_cell(o, COL_EVENTS, t->events);
	number_cell(o, COL_LOST, t->lost);
	number_cell(o, COL_GAPS, t->gaps);
	number_cell(o, COL_SIZE, t->size);
	table_style_cell(o->table, COL_LOST, t->lost ? STYLE_WARN : STYLE_PLAIN);
	table_style_cell(o->table, COL_GAPS, t->gaps ? STYLE_WARN : STYLE_PLAIN);
	table_end_row(o->table);
}

static void add_row(struct info *o)
{
	const struct run_facts *f = &o->one.facts;
	struct totals *all = &o->totals;
	const struct totals one = {.events = f->state.events,
				   .lost = f->losses.events,
				   .gaps = f->stats.gaps,
				   .size = f->stats.file_size,
				   .first_ts = f->state.first_ts,
				   .last_ts = f->state.last_ts};

	table_string(o->table, COL_CAPTURE, sv_of(o->one.path));
	if (f->machine_known)
		table_string(o->table, COL_HOST, f->hostname);
	table_string(o->table, COL_SEAL, sv_of(sf_seal_verdict_name(o->one.seal.verdict)));
	row(o, &one);
	all->captures++;
	all->events += one.events;
	all->lost += one.lost;
	all->gaps += one.gaps;
	all->size += one.size;
	if (one.first_ts && (!all->first_ts || one.first_ts < all->first_ts))
		all->first_ts = one.first_ts;
	if (one.last_ts > all->last_ts)
		all->last_ts = one.last_ts;
}

static void print_table(struct info *o)
{
	struct buf b = {0};

	buf_addf(&b, "%llu captures", (unsigned long long)o->totals.captures);
	table_string(o->table, COL_CAPTURE, buf_view(&b));
	table_style_row(o->table, STYLE_BOLD);
	row(o, &o->totals);
	table_print(o->table, &o->out);
	buf_done(&b);
}

/* --- one capture --- */

static void on_item(void *arg, struct cli_walk *w, const struct ev_item *item)
{
	struct info *o = arg;

	(void)w;
	run_facts_item(&o->one.facts, item);
}

static void on_fed(void *arg, struct cli_walk *w, const struct state_binding *b)
{
	struct info *o = arg;

	run_facts_event(&o->one.facts, w->state, b);
}

/* Everything is known: what a seal says, too. */
static void show(struct info *o)
{
	struct cli_info *one = &o->one;
	struct error err = {0};

	if (strcmp(one->path, "-") != 0 &&
	    sf_seal_look(one->path, &one->seal, &one->words, &err) < 0)
		cli_log(CLI_WARNING, "the seal of '%s': %s", one->path, err.msg);
	if (o->table)
		add_row(o);
	if (o->json)
		cli_info_json(&o->out, one);
	else if (!o->as_table)
		cli_info_text(&o->out, one);
	sf_seal_words_done(&one->words);
}

static void on_end(void *arg, struct cli_walk *w)
{
	struct info *o = arg;
	struct error err = {0};

	if (run_facts_end(&o->one.facts, w->reader, w->state, &err) < 0) {
		o->status = cli_fail(&err);
		return;
	}
	show(o);
}

static int from_index(struct info *o, struct sf_index *x)
{
	const struct run_facts *f = &o->one.facts;
	const char *path = o->one.path;
	int status;

	o->one.indexed = true;
	show(o);
	status = cli_tell_gaps(path, f->gaps, f->gap_count, f->stats.gaps);
	cli_tell_state(path, &f->state);
	if (f->stats.events == 0 && f->stats.gaps == 0) {
		cli_log(CLI_WARNING, "%s: holds no events", path);
		status = cli_worse(status, CLI_PARTIAL);
	}
	sf_index_close(x);
	return status;
}

static int info_one(struct info *o, const char *path)
{
	struct cli_walk w = {.common = &o->common,
			     .fed = on_fed,
			     .item = on_item,
			     .end = on_end,
			     .arg = o,
			     .want_hash = true};
	struct sf_index *x = o->common.no_index ? NULL : cli_index_open(path);
	struct error err = {0};
	int status;

	o->one = (struct cli_info){.path = path};
	if (x && run_index_facts(x, &o->one.facts, &err) == 0) {
		status = from_index(o, x);
	} else {
		if (x)
			cli_log(CLI_WARNING, "the index of '%s': %s; going on without", path,
				err.msg);
		sf_index_close(x);
		run_facts_done(&o->one.facts);
		run_facts_init(&o->one.facts);
		status = cli_walk_capture(&w, path);
	}
	run_facts_done(&o->one.facts);
	return status;
}

static int info_all(struct info *o, char **paths, int count)
{
	const struct table_look look = {.format = TABLE_TEXT, .color = o->common.color};
	int status = 0;

	if (o->as_table || (count > 1 && !o->json && !o->strict)) {
		o->table = table_new(info_columns, &look);
		if (!o->table) {
			cli_log(CLI_ERROR, "out of memory");
			return CLI_INTERNAL;
		}
	}
	for (int i = 0; i < count && !cli_interrupted(); i++) {
		status = cli_worse(status, o->strict ? cli_strict(paths[i], o->json, &o->out)
						     : info_one(o, paths[i]));
		if ((i + 1 < count || o->table) && !o->json && o->out.len)
			buf_char(&o->out, '\n');
		status = cli_worse(status, cli_write(&o->out));
	}
	if (o->table)
		print_table(o);
	status = cli_worse(status, cli_write(&o->out));
	return cli_worse(status, o->status);
}

int cmd_info(int argc, char **argv)
{
	struct info o = {0};
	const struct cli_parser parser = {"info", info_options, info_examples, take_option, &o};
	int first;
	int status = cli_parse(&parser, &o.common, argc, argv, &first);

	if (status)
		return status < 0 ? cli_flush() : status;
	cli_catch_signals();
	if (first == argc) {
		cli_log(CLI_ERROR, "no capture given; '-' reads standard input");
		return CLI_USAGE;
	}
	if (o.as_table && (o.json || o.strict)) {
		cli_log(CLI_ERROR, "--table is neither for --format json nor for --strict");
		return CLI_USAGE;
	}
	status = info_all(&o, argv + first, argc - first);
	table_free(o.table);
	buf_done(&o.out);
	return cli_worse(status, cli_flush());
}
