/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/state_text.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static ssize_t read_some(int fd, void *buf, size_t cap)
{
	ssize_t n;

	do {
		n = read(fd, buf, cap);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t host_read_file(int dir, const char *name, char *buf, size_t cap)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t len = 0;
	ssize_t n = 0;

	buf[0] = 0;
	if (fd < 0)
		return -errno;
	while (len < cap - 1 && (n = read_some(fd, buf + len, cap - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	buf[len] = 0;
	return n < 0 && len == 0 ? n : (ssize_t)len;
}

ssize_t host_read_link(int dir, const char *name, char *buf, size_t cap)
{
	ssize_t n = readlinkat(dir, name, buf, cap - 1);

	buf[n < 0 ? 0 : n] = 0;
	return n < 0 ? -errno : n;
}

uint64_t host_bracketed(struct sv text)
{
	const char *open = text.n ? memchr(text.p, '[', text.n) : NULL;
	struct sv rest;
	uint64_t v;

	if (!open)
		return 0;
	rest = sv_drop(text, (size_t)(open - text.p) + 1);
	if (!host_take_u64(&rest, 10, &v) || !sv_is(rest, "]"))
		return 0;
	return v;
}

uint64_t host_link_number(int dir, const char *name)
{
	char buf[64];
	ssize_t n = host_read_link(dir, name, buf, sizeof(buf));

	return n < 0 ? 0 : host_bracketed(sv_make(buf, (size_t)n));
}

int host_open_dir(int dir, const char *name)
{
	return openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

struct sv host_take_line(struct sv *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	struct sv line = sv_make(rest->p, n);

	*rest = sv_drop(*rest, n + 1);
	return line;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct sv skip_blanks(struct sv s)
{
	while (s.n && is_blank(*s.p))
		s = sv_drop(s, 1);
	return s;
}

struct sv host_take_field(struct sv *rest)
{
	struct sv s = skip_blanks(*rest);
	size_t n = 0;

	*rest = s;
	if (s.n == 0)
		return s;
	while (n < s.n && !is_blank(s.p[n]))
		n++;
	*rest = sv_drop(s, n);
	return sv_make(s.p, n);
}

struct sv host_skip_fields(struct sv rest, unsigned n)
{
	while (n--)
		host_take_field(&rest);
	return skip_blanks(rest);
}

static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 99;
}

bool host_take_u64(struct sv *rest, unsigned base, uint64_t *out)
{
	size_t n = 0;
	uint64_t v = 0;

	for (; n < rest->n && digit(rest->p[n]) < base; n++) {
		if (v > (UINT64_MAX - digit(rest->p[n])) / base)
			return false;
		v = v * base + digit(rest->p[n]);
	}
	if (n == 0)
		return false;
	*rest = sv_drop(*rest, n);
	*out = v;
	return true;
}

uint64_t host_u64(struct sv text, unsigned base, uint64_t otherwise)
{
	uint64_t v;

	text = skip_blanks(text);
	return host_take_u64(&text, base, &v) ? v : otherwise;
}

int64_t host_i64(struct sv text, int64_t otherwise)
{
	bool minus;
	uint64_t v;

	text = skip_blanks(text);
	minus = text.n && *text.p == '-';
	if (minus)
		text = sv_drop(text, 1);
	if (!host_take_u64(&text, 10, &v) || v > INT64_MAX)
		return otherwise;
	return minus ? -(int64_t)v : (int64_t)v;
}

/* --- lines --- */

int host_lines_open(struct host_lines *l, int dir, const char *name)
{
	l->from = l->to = 0;
	l->end = l->skipping = false;
	l->fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return l->fd < 0 ? -errno : 0;
}

static void refill(struct host_lines *l)
{
	ssize_t n;

	memmove(l->buf, l->buf + l->from, l->to - l->from);
	l->to -= l->from;
	l->from = 0;
	if (l->to == sizeof(l->buf)) {
		l->to = 0;
		l->skipping = true;
	}
	n = read_some(l->fd, l->buf + l->to, sizeof(l->buf) - l->to);
	if (n > 0)
		l->to += (size_t)n;
	else
		l->end = true;
}

bool host_lines_next(struct host_lines *l, struct sv *line)
{
	for (;;) {
		char *from = l->buf + l->from;
		char *nl = memchr(from, '\n', l->to - l->from);
		bool skip = l->skipping;

		if (!nl && !l->end) {
			refill(l);
			continue;
		}
		if (!nl && l->from == l->to)
			return false;
		*line = sv_make(from, nl ? (size_t)(nl - from) : l->to - l->from);
		l->from = nl ? l->from + line->n + 1 : l->to;
		l->skipping = false;
		if (!skip)
			return true;
	}
}

void host_lines_close(struct host_lines *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}
