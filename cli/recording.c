/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recording.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/keeping.h"

#define LOOK_NS		 100000000u  /* the disk is looked at that often, and after each frame */
#define FRAME_NS	 2000000000u /* a crash loses at most that much */
#define PIPE_FRAME_NS	 200000000u  /* whoever reads a pipe waits for it */
#define FRAME_BYTES_MIN	 4096u
#define FRAMES_PER_LIMIT 64  /* frames become so small that a limit of size is met within one */
#define RESERVE_PERCENT	 5   /* of the disk stay free */
#define NICENESS	 10  /* of the thread that compresses: the host comes first */
#define HOST_MAX	 200 /* bytes of its name in a file's */

void cli_recording_init(struct cli_recording *r)
{
	*r = (struct cli_recording){
	    .fd = -1,
	    .opt = {.background = true, .paced = true, .frame_ns = FRAME_NS, .niceness = NICENESS},
	};
}

/* --- options --- */

bool cli_parse_rotation(const char *text, struct sf_rotation *out)
{
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	uint64_t keep = 0;
	char size[32];

	*out = (struct sf_rotation){0};
	if (n == 0 || n >= sizeof(size))
		return false;
	memcpy(size, text, n);
	size[n] = '\0';
	if (colon && (!cli_parse_u64(colon + 1, &keep) || keep < 1 || keep > 1000000))
		return false;
	out->keep = (unsigned)keep;
	/* Lower case is time, upper case size; a bare number could be either. */
	if (strchr("smh", size[n - 1]))
		return cli_parse_duration(size, &out->ns) && out->ns;
	return !isdigit((unsigned char)size[n - 1]) && cli_parse_size(size, &out->bytes) &&
	       out->bytes;
}

static int take_level(struct cli_recording *r, const char *value)
{
	bool negative = value[0] == '-';
	uint64_t n;

	if (!cli_parse_u64(value + negative, &n) || n < 1 || n > 100) {
		cli_log(CLI_ERROR,
			"--level %s: expected a number, for zstd 1 to 19, for gzip 1 to 9", value);
		return CLI_USAGE;
	}
	r->opt.level = negative ? -(int)n : (int)n;
	return 0;
}

int cli_recording_take(struct cli_recording *r, int id, const char *value)
{
	switch (id) {
	case OPT_LEVEL:
		return take_level(r, value);
	case OPT_ROTATE:
		if (cli_parse_rotation(value, &r->opt.rotation))
			return 0;
		cli_log(CLI_ERROR,
			"--rotate %s: expected a size (100M) or a time (30s, 10m, 1h), and perhaps "
			"':' and how many files to keep",
			value);
		return CLI_USAGE;
	case OPT_MAX_SIZE:
		if (cli_parse_size(value, &r->max_size) && r->max_size)
			return 0;
		cli_log(CLI_ERROR, "--max-size %s: expected a size such as 500M or 10G", value);
		return CLI_USAGE;
	case OPT_FORCE:
		r->opt.replace = true;
		return 0;
	case OPT_FILL_DISK:
		r->fill_disk = true;
		return 0;
	case OPT_KEEP:
		if (cli_parse_keep(value, &r->opt.keep_ns, &r->opt.keep_bytes))
			return 0;
		cli_log(
		    CLI_ERROR,
		    "--keep %s: expected a time (60s), a size from %uK (64M), or both (60s:64M)",
		    value, SF_KEEP_BYTES_MIN >> 10);
		return CLI_USAGE;
	case OPT_KEEP_AT_END:
		r->keep_at_end = true;
		return 0;
	default:
		return cli_sealing_take(&r->sealing, id, value);
	}
}

bool cli_recording_needs_more_files(const struct cli_recording *r)
{
	return r->opt.replace || r->opt.rotation.bytes || r->opt.rotation.ns ||
	       cli_recording_keeps(r);
}

/* --- names --- */

void cli_recording_name(struct buf *b, const char *host, time_t now)
{
	struct tm tm;
	char when[32];

	for (size_t i = 0; host[i] && i < HOST_MAX; i++) {
		unsigned char c = (unsigned char)host[i];

		buf_char(b,
			 c <= ' ' || c == '/' || c >= 127 || (c == '.' && i == 0) ? '_' : host[i]);
	}
	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	buf_addf(b, "%s%s.scap.zst", b->len ? "-" : "capture-", when);
}

static int name_file(struct cli_recording *r)
{
	char host[256] = "";

	if (r->path)
		return 0;
	(void)gethostname(host, sizeof(host) - 1);
	cli_recording_name(&r->name, host, time(NULL));
	r->path = buf_cstr(&r->name);
	if (!r->name.failed)
		return 0;
	cli_log(CLI_ERROR, "out of memory");
	return CLI_INTERNAL;
}

static bool is_stdout(const struct cli_recording *r)
{
	return strcmp(r->path, "-") == 0;
}

/* --- the disk --- */

/* The directory of @path, in @dir. */
static void directory_of(const char *path, char *dir, size_t size)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		snprintf(dir, size, ".");
	else
		snprintf(dir, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

bool cli_recording_disk_is_low(const struct cli_recording *r, unsigned *percent)
{
	char dir[4096];
	struct statvfs fs;

	if (r->fill_disk || is_stdout(r))
		return false;
	directory_of(r->path, dir, sizeof(dir));
	if (statvfs(dir, &fs) != 0 || fs.f_blocks == 0)
		return false;
	*percent = (unsigned)((double)fs.f_bavail * 100 / (double)fs.f_blocks);
	return *percent < RESERVE_PERCENT;
}

/* --- files --- */

/* Sizes end at frames: the smaller these are, the closer a limit is met. */
static void fit_frames(struct cli_recording *r)
{
	uint64_t limit = r->opt.rotation.bytes;

	if (r->max_size && (!limit || r->max_size < limit))
		limit = r->max_size;
	if (r->opt.keep_bytes)
		limit = r->opt.keep_bytes;
	limit /= FRAMES_PER_LIMIT;
	if (limit && limit < SF_FRAME_BYTES_DEFAULT)
		r->opt.frame_bytes = limit < FRAME_BYTES_MIN ? FRAME_BYTES_MIN : (uint32_t)limit;
}

/* With a count of files to keep, @max_size is met by files that are small enough. */
static void fit_files(struct cli_recording *r)
{
	struct sf_rotation *rot = &r->opt.rotation;
	uint64_t each;

	if (!r->max_size || !rot->keep)
		return;
	each = r->max_size / rot->keep;
	if (!rot->bytes || each < rot->bytes)
		rot->bytes = each ? each : 1;
}

/* Remember the file by name and descriptor. A file that is to replace another is not there yet. */
static int note_file(struct cli_recording *r)
{
	if (r->fd >= 0)
		close(r->fd);
	free(r->current);
	r->current = strdup(sf_writer_path(r->writer));
	r->fd = -1;
	r->told_renamed = false;
	if (!r->current) {
		cli_log(CLI_ERROR, "out of memory");
		return CLI_INTERNAL;
	}
	if (!r->opt.replace && !is_stdout(r) && !cli_recording_keeps(r))
		r->fd = open(r->current, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return 0;
}

static int tell_open_failure(const struct cli_recording *r, const struct error *err)
{
	if (err->sys == EEXIST)
		cli_log(CLI_ERROR, "%s; --force replaces it", err->msg);
	else
		cli_log(CLI_ERROR, "%s", err->msg);
	(void)r;
	return cli_exit_of(err->code);
}

int cli_recording_open(struct cli_recording *r, const struct rec_options *rec)
{
	struct error err = {0};
	unsigned percent;
	int rc = cli_keep_check(r);

	if (!rc)
		rc = name_file(r);
	if (rc)
		return rc;
	if (is_stdout(r) && isatty(STDOUT_FILENO)) {
		cli_log(CLI_ERROR,
			"a capture is nothing for a terminal; send it to a file or pipe");
		return CLI_USAGE;
	}
	if (cli_recording_disk_is_low(r, &percent)) {
		cli_log(CLI_ERROR,
			"%u %% of the disk of '%s' are free, and the last %d %% are not for "
			"recording; --fill-disk uses them",
			percent, r->path, RESERVE_PERCENT);
		return CLI_INPUT;
	}
	if (is_stdout(r))
		r->opt.frame_ns = PIPE_FRAME_NS;
	fit_files(r);
	fit_frames(r);
	rc = cli_sealing_begin(&r->sealing, r->path, rec, &r->opt);
	if (rc)
		return rc;
	if (sf_writer_open(r->path, &r->opt, &r->writer, &err) < 0)
		return tell_open_failure(r, &err);
	return note_file(r);
}

/* Bytes of the file called @name, as far as it can be seen. */
static uint64_t size_of(const char *name)
{
	struct stat sb;

	return stat(name, &sb) == 0 && S_ISREG(sb.st_mode) ? (uint64_t)sb.st_size : 0;
}

static int failed(struct cli_recording *r, const struct error *err)
{
	cli_log(CLI_ERROR, "%s%s", err->msg[0] ? err->msg : error_code_text(err->code),
		cli_recording_keeps(r) ? "" : "; what was written before can be read");
	r->broken = true;
	return cli_exit_of(err->code);
}

void cli_recording_made(struct cli_recording *r, const char *path)
{
	uint32_t keep = r->opt.rotation.keep;
	char **made = realloc(r->made, (r->nmade + 1) * sizeof(*made));
	char *own = made ? strdup(path) : NULL;

	if (made)
		r->made = made;
	if (!own)
		return;
	made[r->nmade++] = own;
	if (!keep || r->nmade <= keep)
		return;
	free(made[0]);
	memmove(made, made + 1, --r->nmade * sizeof(*made));
}

static int rotate(struct cli_recording *r)
{
	struct error err = {0};
	int rc;

	if (sf_writer_rotate(r->writer, &err) < 0)
		return -failed(r, &err);
	r->stored_before += size_of(r->current);
	cli_recording_made(r, r->current);
	r->full = false;
	rc = note_file(r);
	return -rc;
}

int cli_recording_item(struct cli_recording *r, const struct ev_item *item)
{
	struct error err = {0};

	if (item->kind == EV_ITEM_SECTION && r->full) {
		if (!cli_recording_keeps(r))
			return rotate(r);
		r->full = false;
	}
	if (sf_writer_item(r->writer, item, &err) < 0)
		return -failed(r, &err);
	if (item->kind == EV_ITEM_EVENT)
		r->last_ts = item->ev->ts;
	if (r->full || !sf_writer_rotation_due(r->writer))
		return 0;
	r->full = true;
	return 1;
}

uint64_t cli_recording_stored(const struct cli_recording *r)
{
	return r->writer ? r->stored_before + sf_writer_stats(r->writer)->stored : r->stored;
}

const char *cli_recording_path(const struct cli_recording *r)
{
	return r->writer ? sf_writer_path(r->writer) : r->current ? r->current : r->path;
}

/* --- now and then --- */

/* What was recorded since is lost with a file that has no name any more; one with another name is
 * somebody's wish. */
static bool file_is_gone(struct cli_recording *r)
{
	struct stat open, named;

	if (r->fd < 0 || fstat(r->fd, &open) != 0)
		return false;
	if (open.st_nlink == 0) {
		cli_log(CLI_ERROR, "'%s' was deleted while it was being written", r->current);
		return true;
	}
	if (!r->told_renamed && (stat(r->current, &named) != 0 || named.st_ino != open.st_ino ||
				 named.st_dev != open.st_dev)) {
		r->told_renamed = true;
		cli_log(CLI_WARNING,
			"'%s' was renamed; recording goes on in that file, under its new name",
			r->current);
	}
	return false;
}

/* Is there anything new since the last look? */
static bool is_time_to_look(struct cli_recording *r)
{
	uint64_t frames = sf_writer_stats(r->writer)->frames, now = clock_ns(CLOCK_MONOTONIC);

	if (frames == r->frames_seen && now - r->looked_at < LOOK_NS)
		return false;
	r->frames_seen = frames;
	r->looked_at = now;
	return true;
}

enum cli_recording_verdict cli_recording_look(struct cli_recording *r)
{
	struct error err = {0};
	unsigned percent;

	if (!is_time_to_look(r))
		return RECORDING_GOES_ON;
	if (sf_writer_tick(r->writer, clock_ns(CLOCK_REALTIME), &err) < 0) {
		failed(r, &err);
		return RECORDING_STOPPED;
	}
	if (cli_recording_keeps(r)) {
		cli_keep_look(r);
		return RECORDING_GOES_ON;
	}
	if (r->max_size && !r->opt.rotation.keep && cli_recording_stored(r) >= r->max_size)
		return RECORDING_FULL;
	if (file_is_gone(r))
		return RECORDING_STOPPED;
	if (!cli_recording_disk_is_low(r, &percent))
		return RECORDING_GOES_ON;
	cli_log(
	    CLI_ERROR,
	    "'%s': %u %% of the disk are free; recording ends here, unless --fill-disk is given",
	    r->current, percent);
	return RECORDING_STOPPED;
}

int cli_recording_close(struct cli_recording *r)
{
	struct error err = {0}, again = {0};
	int rc, closed, status;

	if (!r->writer)
		return 0;
	status = cli_keep_end(r);
	rc = sf_writer_flush(r->writer, &err); /* for the last numbers */
	r->stats = *sf_writer_stats(r->writer);
	closed = sf_writer_close(r->writer, rc < 0 ? &again : &err);
	rc = rc < 0 ? rc : closed;
	r->writer = NULL;
	if (cli_recording_keeps(r))
		r->stored = r->stats.stored;
	else if (is_stdout(r))
		r->stored = r->stats.stream_size;
	else
		r->stored = r->stored_before + size_of(r->current);
	if (!cli_recording_keeps(r) && !is_stdout(r))
		cli_recording_made(r, r->current);
	if (rc < 0 && !r->broken)
		return failed(r, &err);
	return status;
}

void cli_recording_discard(struct cli_recording *r)
{
	bool created = r->writer && !r->opt.replace && !is_stdout(r) && !cli_recording_keeps(r);

	sf_writer_abandon(r->writer);
	r->writer = NULL;
	if (created) {
		(void)unlink(r->current);
		cli_sealing_discard(&r->sealing, r->current);
	}
}

void cli_recording_done(struct cli_recording *r)
{
	sf_writer_abandon(r->writer);
	if (r->fd >= 0)
		close(r->fd);
	free(r->current);
	for (size_t i = 0; i < r->nmade; i++)
		free(r->made[i]);
	free(r->made);
	buf_done(&r->name);
	cli_sealing_done(&r->sealing);
	r->writer = NULL;
}
