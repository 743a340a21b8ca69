/* SPDX-License-Identifier: Apache-2.0 */
/* Writing rows to a file that is made anew, and has its name once it is whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "scapfile/files.h"
#include "tui/table_formats.h"
#include "tui/table_internal.h"

#define FLUSH_BYTES 65536

struct table_file {
	char *path, *partial; /* @partial: until it is whole */
	int fd;
	const struct table_format *format;
	uint8_t shown[TABLE_COLUMNS_MAX];
	int widths[TABLE_COLUMNS_MAX];
	struct table_sheet sheet;
	struct table_walk walk;
	bool measured;
	bool tagged; /* tagged rows only */
	uint64_t written;
	struct buf out;
};

void table_file_free(struct table_file *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		(void)close(f->fd);
	if (f->partial)
		(void)unlink(f->partial);
	buf_done(&f->out);
	free(f->partial);
	free(f->path);
	free(f);
}

int table_export_anchor(struct tui_table *t, struct error *err)
{
	return t->file ? table_walk_anchor(t, &t->file->walk, err) : 0;
}

static int flush(struct table_file *f, struct error *err)
{
	if (f->out.failed)
		return error_nomem(err);
	if (sf_file_write(f->fd, f->out.p, f->out.len) < f->out.len)
		return error_sys(err, errno, "cannot write '%s'", f->partial);
	buf_reset(&f->out);
	return 0;
}

/* All rows, from the first one on: to be measured, or behind a head to be written. */
static int begin_rows(struct table_file *f, struct error *err)
{
	if (f->measured && !f->format->head(&f->sheet, &f->out))
		return error_set(err, ERR_UNSUPPORTED, "cannot make '%s'", f->path);
	table_walk_begin(&f->walk, TUI_FROM_FIRST, (struct tui_row_key){0});
	return 0;
}

/* All is written: the file gets its name. */
static int finish(struct table_file *f, struct error *err)
{
	int rc, fd = f->fd;

	if (f->format->tail)
		f->format->tail(&f->out);
	rc = flush(f, err);
	if (rc < 0)
		return rc;
	f->fd = -1;
	if (fsync(fd) < 0 && errno != EINVAL) {
		rc = error_sys(err, errno, "cannot write '%s'", f->partial);
		(void)close(fd);
		return rc;
	}
	if (close(fd) < 0)
		return error_sys(err, errno, "cannot write '%s'", f->partial);
	if (sf_file_rename_to_new(f->partial, f->path) < 0)
		return error_sys(err, errno, "cannot make '%s'", f->path);
	free(f->partial);
	f->partial = NULL;
	return 0;
}

/* The next page. Return: 1, 0: the file is whole, or ERR_*. */
static int write_page(struct tui_table *t, struct table_file *f, struct error *err)
{
	int rc = table_walk_next(t, &f->walk, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < t->job.count; i++) {
		if (f->tagged && !tui_table_is_tagged(t, t->job.rows[i].key))
			continue;
		if (!f->measured) {
			table_measure(&f->sheet, &t->job, i);
			continue;
		}
		f->format->row(&f->sheet, &t->job, i, &f->out);
		f->written++;
		rc = f->out.len < FLUSH_BYTES ? 0 : flush(f, err);
		if (rc < 0)
			return rc;
	}
	if (!f->walk.ended)
		return 1;
	if (f->measured)
		return finish(f, err);
	f->measured = true;
	rc = begin_rows(f, err);
	return rc < 0 ? rc : 1;
}

bool table_export_work(struct tui_table *t, uint64_t deadline_ns)
{
	struct table_file *f = t->file;
	struct error err = {0};
	int rc;

	do
		rc = write_page(t, f, &err);
	while (rc == 1 && clock_ns(CLOCK_MONOTONIC) < deadline_ns);
	if (rc == 1) {
		tui_app_say(t->app, TUI_ROLE_DIM, "writing %s: %llu rows", f->path,
			    (unsigned long long)f->walk.seen);
		return true;
	}
	if (rc < 0)
		tui_app_fail(t->app, &err);
	else
		tui_app_say(t->app, TUI_ROLE_GOOD, "%llu %srows written to %s",
			    (unsigned long long)f->written, f->tagged ? "tagged " : "", f->path);
	table_file_free(f);
	t->file = NULL;
	return false;
}

/* --- the beginning */

static int check_name(struct sv path, struct error *err)
{
	struct buf names = {0};
	int rc;

	if (path.n && !memchr(path.p, 0, path.n) && table_format_of(path))
		return 0;
	table_format_names(&names);
	rc = error_set(err, ERR_USAGE, "the name of a file has to end in one of %s",
		       buf_cstr(&names));
	buf_done(&names);
	return rc;
}

static int open_file(struct table_file *f, struct sv path, struct error *err)
{
	struct stat sb;
	int fd;

	f->path = strndup(path.p, path.n);
	if (!f->path)
		return error_nomem(err);
	if (lstat(f->path, &sb) == 0)
		return error_set(err, ERR_USAGE, "'%s' exists: it is left as it is", f->path);
	fd = sf_file_create_partial(f->path, &f->partial, err);
	if (fd < 0)
		return fd;
	f->fd = fd;
	return 0;
}

static int begin(struct tui_table *t, struct table_file *f, struct sv path, struct error *err)
{
	int rc = check_name(path, err);

	if (rc == 0)
		rc = open_file(f, path, err);
	if (rc < 0)
		return rc;
	f->format = table_format_of(path);
	f->measured = !f->format->aligned;
	f->tagged = t->tags.count != 0;
	f->sheet = (struct table_sheet){.columns = t->columns,
					.shown = f->shown,
					.count = table_shown(t, TABLE_ANY_WIDTH, f->shown),
					.widths = f->widths};
	return begin_rows(f, err);
}

enum tui_result table_export_act(struct tui_table *t, const struct tui_command *c)
{
	struct error err = {0};
	struct table_file *f;
	int rc;

	if (t->file) {
		error_set(&err, ERR_USAGE, "'%s' is still being written", t->file->path);
		tui_app_fail(t->app, &err);
		return TUI_DONE;
	}
	f = calloc(1, sizeof(*f));
	if (f)
		f->fd = -1;
	rc = f ? begin(t, f, c->arg, &err) : error_nomem(&err);
	if (rc < 0) {
		table_file_free(f);
		tui_app_fail(t->app, &err);
		return TUI_DONE;
	}
	t->file = f;
	(void)table_export_work(t, clock_ns(CLOCK_MONOTONIC) + TABLE_SLICE_NS);
	return TUI_DONE;
}
