/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keeping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define PATIENCE_NS 500000000u /* events are at most that long on their way to us */
#define STATE_COST_SHARE                                                                           \
	32 /* taking the state again costs at most one part in so many of the time */

/* --- options --- */

static bool parse_time(const char *text, uint64_t *ns)
{
	return *text && strchr("smh", text[strlen(text) - 1]) && cli_parse_duration(text, ns) &&
	       *ns;
}

static bool parse_size(const char *text, uint64_t *bytes)
{
	return cli_parse_size(text, bytes) && *bytes >= SF_KEEP_BYTES_MIN;
}

bool cli_parse_keep(const char *text, uint64_t *ns, uint64_t *bytes)
{
	const char *colon = strchr(text, ':');
	char time[32];

	*ns = 0;
	*bytes = SF_KEEP_BYTES_DEFAULT;
	if (!colon)
		return parse_time(text, ns) || parse_size(text, bytes);
	if ((size_t)(colon - text) >= sizeof(time))
		return false;
	snprintf(time, sizeof(time), "%.*s", (int)(colon - text), text);
	return parse_time(time, ns) && parse_size(colon + 1, bytes);
}

int cli_keep_check(const struct cli_recording *r)
{
	const char *what = NULL;

	if (r->opt.rotation.bytes || r->opt.rotation.ns)
		what = "--rotate";
	else if (r->max_size)
		what = "--max-size";
	else if (r->opt.replace)
		what = "--force";
	else if (r->path && strcmp(r->path, "-") == 0)
		what = "--output -";
	if (cli_recording_keeps(r) && what)
		cli_log(CLI_ERROR, "%s and --keep exclude each other", what);
	else if (r->keep_at_end && !cli_recording_keeps(r))
		cli_log(CLI_ERROR, "--keep-at-end: --keep says how much");
	else
		return 0;
	return CLI_USAGE;
}

bool cli_recording_keeps(const struct cli_recording *r)
{
	return r->opt.keep_ns || r->opt.keep_bytes;
}

bool cli_recording_kept(const struct cli_recording *r, struct sf_kept *out)
{
	if (r->writer)
		sf_writer_kept(r->writer, out);
	else
		*out = r->kept;
	return cli_recording_keeps(r);
}

/* --- the state --- */

bool cli_recording_wants_state(struct cli_recording *r)
{
	if (!cli_recording_keeps(r) || r->full || !sf_writer_state_due(r->writer))
		return false;
	r->full = clock_ns(CLOCK_MONOTONIC) >= r->next_state;
	return r->full;
}

void cli_recording_took_state(struct cli_recording *r, uint64_t began)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	r->next_state = now + (now - began) * STATE_COST_SHARE;
}

/* --- dumps --- */

void cli_recording_dump(struct cli_recording *r, const char *why)
{
	if (r->wanted)
		return;
	snprintf(r->why, sizeof(r->why), "%s", why);
	r->wanted_at = clock_ns(CLOCK_REALTIME);
	r->wanted = true;
}

/* What had happened when a dump was asked for may still be on its way. */
static bool has_come_up_to_the_wish(const struct cli_recording *r)
{
	return r->last_ts >= r->wanted_at || clock_ns(CLOCK_REALTIME) - r->wanted_at >= PATIENCE_NS;
}

static void tell_dump(struct cli_recording *r, const struct sf_dump *d)
{
	char *path = strdup(d->path);
	struct buf b = {0};

	cli_grouped(&b, d->events);
	buf_addf(&b, " events of %.1f s in '", (double)(d->to - d->from) / 1e9);
	buf_str(&b, d->path);
	buf_lit(&b, "', ");
	cli_bytes(&b, d->bytes);
	if (d->missing) {
		buf_lit(&b, "; there was no room for ");
		cli_grouped(&b, d->missing);
		buf_lit(&b, " before them, which the capture tells");
	}
	cli_log(CLI_NOTE, "%s: %s", r->doing, buf_cstr(&b));
	buf_done(&b);
	cli_recording_made(r, d->path);
	if (!path)
		return;
	free(r->current);
	r->current = path;
}

static void tell_failure(struct cli_recording *r, const struct error *err)
{
	cli_log(CLI_ERROR, "%s: %s; recording goes on", r->doing,
		err->msg[0] ? err->msg : error_code_text(err->code));
	r->dump_status = CLI_INPUT;
}

/* Is the dump that was begun complete? */
static void look_at_dump(struct cli_recording *r)
{
	struct sf_dump dump;
	struct error err = {0};
	int rc = r->dumping ? sf_writer_dumped(r->writer, &dump, &err) : 0;

	if (rc == 0)
		return;
	r->dumping = false;
	if (rc < 0)
		tell_failure(r, &err);
	else
		tell_dump(r, &dump);
}

static void begin_dump(struct cli_recording *r)
{
	struct error err = {0};
	unsigned percent;

	if (!r->wanted || r->dumping)
		return;
	r->wanted = false;
	memcpy(r->doing, r->why, sizeof(r->doing));
	if (cli_recording_disk_is_low(r, &percent)) {
		error_set(&err, ERR_IO,
			  "only %u %% of the disk are free; nothing is written, unless "
			  "--fill-disk is given",
			  percent);
		tell_failure(r, &err);
	} else if (sf_writer_dump(r->writer, &err) < 0) {
		tell_failure(r, &err);
	} else {
		r->dumping = true;
	}
}

void cli_keep_look(struct cli_recording *r)
{
	look_at_dump(r);
	if (r->wanted && has_come_up_to_the_wish(r))
		begin_dump(r);
	look_at_dump(r);
}

int cli_keep_end(struct cli_recording *r)
{
	if (!cli_recording_keeps(r))
		return 0;
	for (int i = 0; i < 2 && !r->broken; i++) { /* one may be under way */
		if (i && r->keep_at_end)
			cli_recording_dump(r, "end of recording");
		begin_dump(r);
		if (sf_writer_flush(r->writer, NULL) == 0)
			look_at_dump(r);
	}
	sf_writer_kept(r->writer, &r->kept);
	return r->dump_status;
}
