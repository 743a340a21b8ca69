/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LOOK_NS	     1000000000u /* numbers, limits and the disk are looked at that often */
#define WAIT_MS	     100
#define ITEMS_A_LOOK 256 /* the clock is not read for each event */
#define QUEUE_SHARE                                                                                \
	4 /* of the memory for events that wait: one part for those that are                       \
	     compressed and wait for the disk */

void cli_recorder_init(struct cli_recorder *r)
{
	*r = (struct cli_recorder){.stats_fd = -1};
	cli_selection_init(&r->selection);
	cli_recording_init(&r->file);
}

int cli_recorder_take(struct cli_recorder *r, int id, const char *value)
{
	int rc;

	if (id == 'o') {
		r->file.path = value;
		return 0;
	}
	if (id == OPT_DURATION)
		return cli_take_duration("duration", value, &r->duration_ns);
	rc = cli_selection_take(&r->selection, id, value);
	return rc >= 0 ? rc : cli_recording_take(&r->file, id, value);
}

/* --- the CPU --- */

static void keep_pace(struct cli_recorder *r, uint64_t now)
{
	unsigned before = r->pace.level;

	if (!cli_pace_step(&r->pace, now, clock_ns(CLOCK_PROCESS_CPUTIME_ID)))
		return;
	rec_shed(r->rec, r->pace.level);
	if (r->pace.level > before)
		cli_log(CLI_WARNING,
			"recording uses %u %% of a CPU, over --max-cpu %u: now left out: %s",
			r->pace.percent, r->pace.limit, cli_pace_left_out(r->pace.level));
	else
		cli_log(CLI_NOTE, "recording uses %u %% of a CPU: %s recorded again",
			r->pace.percent, cli_pace_left_out(before));
}

/* --- start --- */

static int open_stats(struct cli_recorder *r, const char *path)
{
	if (!path)
		return 0;
	r->stats_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (r->stats_fd >= 0)
		return 0;
	cli_log(CLI_ERROR, "cannot open '%s' for statistics: %s", path, strerror(errno));
	return CLI_INPUT;
}

static int start(struct cli_recorder *r)
{
	struct error err = {0};

	if (rec_open(&r->selection.rec, &r->rec, &err) == 0) {
		cli_meter_start(&r->meter);
		r->pace.limit = r->selection.max_cpu;
		keep_pace(r, r->meter.started);
		r->started = r->meter.started;
		r->next = r->started + LOOK_NS;
		return 0;
	}
	cli_log(CLI_ERROR, "%s; 'scapula record --check' says what this host can do",
		err.msg[0] ? err.msg : error_code_text(err.code));
	return cli_exit_of(err.code);
}

static void share_memory(struct cli_recorder *r)
{
	uint64_t *all = &r->selection.rec.memory_bytes;

	r->file.opt.queue_bytes = *all / QUEUE_SHARE;
	*all -= r->file.opt.queue_bytes;
}

int cli_recorder_open(struct cli_recorder *r, const char *stats_path)
{
	int rc = open_stats(r, stats_path);

	cli_ending_watch();
	if (!rc && !r->no_file) {
		share_memory(r);
		rc = cli_recording_open(&r->file, &r->selection.rec);
		r->writing = rc == 0;
	}
	if (!rc)
		rc = start(r);
	if (!rc && r->begin)
		rc = r->begin(r->arg);
	if (rc) {
		cli_recording_discard(&r->file);
		r->writing = false;
		return rc;
	}
	cli_ending_stops(r->rec);
	return 0;
}

/* --- now and then --- */

static void stop(struct cli_recorder *r)
{
	if (!r->stopped)
		rec_stop(r->rec);
	r->stopped = true;
}

/* All of @line, or nobody gets any more. */
static void write_stats(struct cli_recorder *r, struct buf *line)
{
	buf_char(line, '\n');
	if (r->stats_fd < 0 || line->failed)
		return;
	if (write(r->stats_fd, line->p, line->len) == (ssize_t)line->len)
		return;
	cli_log(CLI_WARNING, "no more statistics: cannot write them: %s", strerror(errno));
	close(r->stats_fd);
	r->stats_fd = -1;
}

static void tell_numbers(struct cli_recorder *r, bool asked)
{
	struct cli_reading reading;
	struct buf line = {0}, json = {0};

	cli_meter_read(&r->meter, r->rec, &r->file, &r->pace, &reading);
	cli_reading_line(&line, &reading);
	cli_reading_json(&json, &reading);
	if (asked)
		cli_log(CLI_NOTE, "%s", buf_cstr(&line));
	else
		cli_progress_text(r->shows_line, &line, &json);
	if (!asked)
		write_stats(r, &json);
	buf_done(&line);
	buf_done(&json);
}

static void look_at_file(struct cli_recorder *r)
{
	switch (cli_recording_look(&r->file)) {
	case RECORDING_GOES_ON:
		return;
	case RECORDING_FULL:
		cli_log(CLI_NOTE, "--max-size is reached");
		break;
	case RECORDING_STOPPED:
		r->status = CLI_INPUT;
		break;
	}
	r->writing = false;
}

static void take_state_again(struct cli_recorder *r)
{
	uint64_t began = clock_ns(CLOCK_MONOTONIC);
	struct error err = {0};

	if (rec_state_again(r->rec, &err) < 0) {
		r->status = cli_fail(&err);
		r->writing = false;
	}
	cli_recording_took_state(&r->file, began);
}

static void heed_wishes(struct cli_recorder *r)
{
	if (cli_ending_wants_numbers())
		tell_numbers(r, true);
	if (!cli_ending_wants_dump())
		return;
	if (r->writing && cli_recording_keeps(&r->file))
		cli_recording_dump(&r->file, "SIGUSR2");
	else
		cli_log(CLI_WARNING, "SIGUSR2: nothing is kept in memory; --keep does that");
}

void cli_recorder_look(struct cli_recorder *r)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), passed = now - r->started;

	heed_wishes(r);
	if (r->writing)
		look_at_file(r);
	if (r->writing && cli_recording_wants_state(&r->file))
		take_state_again(r);
	if (r->duration_ns && passed >= r->duration_ns)
		stop(r);
	if (r->timeout_ns && passed >= r->timeout_ns && !r->stopped) {
		cli_log(CLI_WARNING, "stopped by --timeout");
		r->status = cli_worse(r->status, CLI_PARTIAL);
		stop(r);
	}
	if (r->has_ended && r->has_ended(r->arg))
		stop(r);
	if (now < r->next)
		return;
	r->next = now + LOOK_NS;
	keep_pace(r, now);
	tell_numbers(r, false);
}

void cli_recorder_item(struct cli_recorder *r, const struct ev_item *item)
{
	struct error err = {0};
	int rc;

	cli_meter_item(&r->meter, item);
	if (!r->writing)
		return;
	rc = cli_recording_item(&r->file, item);
	if (rc == 1 && rec_state_again(r->rec, &err) < 0)
		rc = -cli_fail(&err);
	if (rc < 0) {
		r->status = -rc;
		r->writing = false;
	}
}

/* --- the end --- */

static void add_files(struct buf *b, const struct cli_recording *f)
{
	buf_str(b, strcmp(f->path, "-") == 0 ? "standard output" : cli_recording_path(f));
	if (f->stats.files > 1)
		buf_addf(b, " and %u files before it", f->stats.files - 1);
	buf_lit(b, ", ");
	cli_bytes(b, f->stored);
}

/* What is gone now, and how it would not have been. */
static void add_dumps(struct buf *b, const struct cli_recording *f)
{
	if (f->kept.dumps) {
		buf_addf(b, "%u %s written, the last one ", f->kept.dumps,
			 f->kept.dumps == 1 ? "file was" : "files were");
		buf_str(b, cli_recording_path(f));
		buf_lit(b, ", ");
		cli_bytes(b, f->stored);
		return;
	}
	buf_lit(b, "the last ");
	cli_grouped(b, f->kept.events);
	buf_addf(b,
		 " of them, of %.1f s, were kept and are gone; SIGUSR2 writes them before the "
		 "end, --keep-at-end at the end",
		 f->kept.events ? (double)(f->kept.to - f->kept.from) / 1e9 : 0.0);
}

static void tell_end(const struct cli_recorder *r)
{
	const struct cli_recording *f = &r->file;
	struct buf b = {0};

	cli_grouped(&b, f->stats.events);
	buf_addf(&b, " events in %.1f s: ", (double)(clock_ns(CLOCK_MONOTONIC) - r->started) / 1e9);
	if (cli_recording_keeps(f))
		add_dumps(&b, f);
	else
		add_files(&b, f);
	if (!cli_losses(r->meter.lost))
		buf_lit(&b, "; nothing was lost");
	cli_log(CLI_NOTE, "%s", buf_cstr(&b));
	buf_done(&b);
}

static void tell_losses(const struct cli_recorder *r)
{
	struct buf b = {0};

	if (!cli_losses(r->meter.lost))
		return;
	cli_losses_text(&b, r->meter.lost);
	cli_log(CLI_WARNING, "lost %s", buf_cstr(&b));
	buf_done(&b);
}

int cli_recorder_end(struct cli_recorder *r)
{
	heed_wishes(r); /* that came just before the end */
	if (!r->no_file)
		r->status = cli_worse(r->status, cli_recording_close(&r->file));
	tell_numbers(r, false);
	cli_progress_done();
	cli_ending_stops(NULL);
	rec_close(r->rec);
	r->rec = NULL;
	if (!r->no_file)
		tell_end(r);
	tell_losses(r);
	return r->status;
}

static int wait_ms(const struct cli_recorder *r)
{
	uint64_t end = r->started + r->duration_ns, now, left;

	if (!r->duration_ns || r->stopped)
		return WAIT_MS;
	now = clock_ns(CLOCK_MONOTONIC);
	left = end > now ? (end - now) / 1000000 + 1 : 0;
	return left < WAIT_MS ? (int)left : WAIT_MS;
}

int cli_recorder_run(struct cli_recorder *r)
{
	unsigned since_look = 0;
	struct ev_item item;
	struct error err = {0};
	int rc;

	while (r->writing && (rc = rec_next(r->rec, &item, wait_ms(r), &err)) != 0) {
		if (rc < 0) {
			r->status = cli_fail(&err);
			break;
		}
		if (rc == 1)
			cli_recorder_item(r, &item);
		if (rc == 1 && ++since_look < ITEMS_A_LOOK)
			continue;
		since_look = 0;
		cli_recorder_look(r);
	}
	return cli_recorder_end(r);
}

void cli_recorder_done(struct cli_recorder *r)
{
	cli_ending_stops(NULL);
	rec_close(r->rec);
	r->rec = NULL;
	if (r->stats_fd >= 0)
		close(r->stats_fd);
	cli_recording_done(&r->file);
}
