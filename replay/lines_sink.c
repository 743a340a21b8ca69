/* SPDX-License-Identifier: Apache-2.0 */
/* A sink that writes alert lines to a descriptor, buffered, and never loses what it accepted
 * silently. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "replay/replay.h"

#define LINES_FLUSH_BYTES 65536

struct lines_sink {
	struct run_sink base;
	int fd;
	char *name; /* for messages */
	struct run_alert_format format;
	struct buf pending;
};

static int lines_flush(struct lines_sink *s, struct error *err)
{
	size_t at = 0;

	if (s->pending.failed)
		return error_nomem(err);
	while (at < s->pending.len) {
		ssize_t n = write(s->fd, s->pending.p + at, s->pending.len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_sys(err, errno, "cannot write alerts to %s", s->name);
		at += (size_t)n;
	}
	buf_reset(&s->pending);
	return 0;
}

static int lines_alert(struct run_sink *base, const struct run_alert *a, struct error *err)
{
	struct lines_sink *s = (struct lines_sink *)base;

	if (s->format.json)
		run_alert_json(&s->pending, &s->format, a);
	else
		run_alert_text(&s->pending, &s->format, a);
	return s->pending.len >= LINES_FLUSH_BYTES ? lines_flush(s, err) : 0;
}

static int lines_flush_op(struct run_sink *base, struct error *err)
{
	return lines_flush((struct lines_sink *)base, err);
}

static int lines_capture_end(struct run_sink *base, const struct qry_capture_end *e,
			     struct error *err)
{
	(void)e;
	return lines_flush((struct lines_sink *)base, err);
}

static void lines_free(struct run_sink *base)
{
	struct lines_sink *s = (struct lines_sink *)base;

	buf_done(&s->pending);
	free(s->name);
	free(s);
}

static const struct run_sink_ops lines_ops = {
    .alert = lines_alert,
    .flush = lines_flush_op,
    .capture_end = lines_capture_end,
    .free = lines_free,
};

struct run_sink *run_lines_sink_new(int fd, const char *name, const struct run_alert_format *f)
{
	struct lines_sink *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->base.ops = &lines_ops;
	s->fd = fd;
	s->format = *f;
	s->name = strdup(name);
	if (!s->name) {
		free(s);
		return NULL;
	}
	return &s->base;
}

void run_sink_free(struct run_sink *s)
{
	if (s)
		s->ops->free(s);
}
