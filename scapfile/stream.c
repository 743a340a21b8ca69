/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive.h"

#define SNIFF_BYTES 6 /* enough to know a plain, gzip or zstd file, and one that is neither */

static void input_count(struct sf_input *in, const uint8_t *p, size_t n)
{
	in->size += n;
	if (in->hash)
		sf_hash_add(in->hash, p, n);
}

static int64_t read_fd(const struct sf_input *in, uint8_t *to, size_t room, struct error *err)
{
	ssize_t n;

	do {
		n = read(in->fd, to, room);
	} while (n < 0 && errno == EINTR);
	return n >= 0 ? n
		      : error_sys(err, errno, "cannot read '%s' at byte %llu", in->name,
				  (unsigned long long)in->size);
}

int64_t sf_input_read(struct sf_input *in, uint8_t *to, size_t room, struct error *err)
{
	int64_t n;

	if (in->at_end)
		return 0;
	if (in->hash) /* what was read before may be where this goes */
		sf_hash_wait(in->hash);
	n = in->inside ? arc_read(in->inside, to, room, err) : read_fd(in, to, room, err);
	if (n < 0)
		return n;
	if (n == 0)
		in->at_end = true;
	else
		input_count(in, to, (size_t)n);
	return n;
}

int sf_input_fill(struct sf_input *in, struct error *err)
{
	int64_t n;

	if (in->at != in->end)
		return 1;
	if (in->at_end)
		return 0;
	n = sf_input_read(in, in->buf, SF_INPUT_CHUNK, err);
	if (n <= 0)
		return (int)n;
	in->at = in->buf;
	in->end = in->buf + n;
	return 1;
}

/* Read until the kind of file can be told, also from a pipe that delivers single bytes. */
static int input_sniff(struct sf_input *in, struct error *err)
{
	size_t have = 0;

	while (have < SNIFF_BYTES) {
		int64_t n = sf_input_read(in, in->buf + have, SF_INPUT_CHUNK - have, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	in->at = in->buf;
	in->end = in->buf + have;
	return 0;
}

/* Open what @path names and have its first bytes. */
static int input_begin(struct sf_input *in, const char *path, bool inside, bool want_hash,
		       struct error *err)
{
	int rc = 0;

	if (inside) {
		rc = arc_open(path, &in->inside, err);
	} else {
		in->fd = arc_open_plain(path);
		in->own_fd = in->fd >= 0;
		if (in->fd < 0)
			rc = error_sys(err, errno, "cannot open '%s'", path);
		else
			(void)posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	if (rc == 0 && want_hash)
		rc = sf_hash_new(&in->hash, err);
	return rc < 0 ? rc : input_sniff(in, err);
}

/* Begin again with what is in the file. */
static int input_unwrap(struct sf_input *in, const char *path, bool want_hash, struct error *err)
{
	sf_hash_free(in->hash);
	close(in->fd);
	in->hash = NULL;
	in->own_fd = in->at_end = false;
	in->fd = -1;
	in->size = 0;
	return input_begin(in, path, true, want_hash, err);
}

int sf_input_open(struct sf_input *in, const char *path, bool want_hash, struct error *err)
{
	int rc;

	in->name = path;
	in->buf = malloc(SF_INPUT_CHUNK);
	if (!in->buf)
		return error_nomem(err);
	if (strcmp(path, "-") == 0) {
		in->fd = STDIN_FILENO;
		in->name = "standard input";
		rc = want_hash ? sf_hash_new(&in->hash, err) : 0;
		return rc < 0 ? rc : input_sniff(in, err);
	}
	in->fd = -1;
	rc = input_begin(in, path, arc_is_inside(path), want_hash, err);
	if (rc == 0 && in->own_fd && arc_is_wrapped(in->at, (size_t)(in->end - in->at)))
		rc = input_unwrap(in, path, want_hash, err);
	return rc;
}

void sf_input_done(struct sf_input *in)
{
	if (in->own_fd)
		close(in->fd);
	arc_close(in->inside);
	sf_hash_free(in->hash);
	free(in->buf);
}

/* The input's first bytes are known: choose the way to the uncompressed data. */
static int stream_start(struct sf_stream *s, struct error *err)
{
	size_t n = (size_t)(s->in.end - s->in.at);
	int rc = 0;

	if (sf_is_gzip(s->in.at, n)) {
		s->compression = SF_GZIP;
		rc = sf_codec_gzip(&s->codec, err);
	} else if (sf_is_zstd(s->in.at, n)) {
		s->compression = SF_ZSTD;
		rc = sf_codec_zstd(&s->codec, err);
	} else {
		/* Plain data goes on where the first chunk is: the input's buffer becomes the
		 * window. */
		s->buf = s->in.buf;
		s->cap = s->buf ? SF_INPUT_CHUNK : 0;
		s->at = s->in.at;
		s->end = s->in.end;
		s->end_offset = n;
		s->in.buf = NULL;
		s->in.at = s->in.end = NULL;
		return 0;
	}
	if (rc < 0)
		return rc;
	s->codec->log = &s->log;
	s->cap = SF_WINDOW_FIRST;
	s->buf = malloc(s->cap);
	if (!s->buf)
		return error_nomem(err);
	s->at = s->end = s->buf;
	return 0;
}

int sf_stream_open(struct sf_stream *s, const char *path, bool want_hash, struct error *err)
{
	int rc;

	*s = (struct sf_stream){.in.fd = -1};
	rc = sf_input_open(&s->in, path, want_hash, err);
	if (rc < 0)
		return rc;
	return stream_start(s, err);
}

int sf_stream_open_memory(struct sf_stream *s, const void *data, size_t n, bool want_hash,
			  struct error *err)
{
	*s = (struct sf_stream){.in.fd = -1, .in.name = "memory", .in.at_end = true};
	if (want_hash && sf_hash_new(&s->in.hash, err) < 0)
		return ERR_NOMEM;
	s->in.at = s->in.memory = data;
	s->in.end = s->in.at + n;
	input_count(&s->in, s->in.at, n);
	return stream_start(s, err);
}

int sf_stream_open_codec(struct sf_stream *s, struct sf_codec *c, struct error *err)
{
	*s = (struct sf_stream){.in.fd = -1, .in.at_end = true, .codec = c};
	c->log = &s->log;
	s->cap = SF_WINDOW_FIRST;
	s->buf = malloc(s->cap);
	if (!s->buf)
		return error_nomem(err);
	s->at = s->end = s->buf;
	return 0;
}

/* The input is the stream's again, if it was a codec's for a while. */
static void settle_input(struct sf_stream *s)
{
	if (s->codec && s->codec->ops->settle)
		s->codec->ops->settle(s->codec, &s->in);
}

void sf_stream_done(struct sf_stream *s)
{
	settle_input(s);
	if (s->codec)
		s->codec->ops->free(s->codec);
	sf_access_done(&s->log);
	sf_input_done(&s->in); /* its hash may still be at work on the window */
	free(s->buf);
	*s = (struct sf_stream){.in.fd = -1};
}

/* Move the window's bytes to the front of their storage. */
static void compact_window(struct sf_stream *s)
{
	size_t left = sf_stream_left(s);

	if (left && s->at != s->buf)
		memmove(s->buf, s->at, left);
	s->at = s->buf;
	s->end = s->buf + left;
}

/* Give the window @cap bytes of storage, which must hold what is in it. */
static int resize_window(struct sf_stream *s, size_t cap, struct error *err)
{
	size_t left = sf_stream_left(s);
	uint8_t *buf;

	compact_window(s);
	buf = realloc(s->buf, cap);
	if (!buf)
		return error_nomem(err);
	s->buf = buf;
	s->cap = cap;
	s->at = buf;
	s->end = buf + left;
	return 0;
}

/*
 * Have room behind the window. Storage doubles only when it is more than half full of bytes that
 * are still needed, so it stays within four times what has arrived, and each byte is moved a
 * bounded number of times.
 */
static int make_room(struct sf_stream *s, struct error *err)
{
	size_t room = s->cap - (size_t)(s->end - s->buf), left = sf_stream_left(s);

	if (left <= SF_WINDOW_FIRST / 2 && s->cap > SF_WINDOW_KEEP)
		return resize_window(s, SF_WINDOW_FIRST, err);
	if (room > s->cap / 4)
		return 0;
	if (left > s->cap / 2)
		return s->cap <= SIZE_MAX / 2 ? resize_window(s, s->cap * 2, err)
					      : error_nomem(err);
	compact_window(s);
	return 0;
}

static int stream_decode(struct sf_stream *s, size_t room, size_t *made, struct error *err)
{
	uint8_t *to = s->buf + (s->end - s->buf);
	int64_t n;

	if (s->codec)
		return s->codec->ops->decode(s->codec, &s->in, to, room, made, err);
	n = sf_input_read(&s->in, to, room, err);
	if (n < 0)
		return (int)n;
	*made = (size_t)n;
	return n ? SF_FLOW_MORE : SF_FLOW_END;
}

/* Return: enum sf_flow, or ERR_*. */
static int extend_window(struct sf_stream *s, size_t *made, struct error *err)
{
	int rc;

	if (s->codec && s->codec->ops->exchange) {
		int flow = s->codec->ops->exchange(s->codec, s, made, err);

		if (flow != SF_FLOW_NONE)
			return flow;
	}
	if (!s->codec && s->in.hash) /* of plain data it is the window that is hashed */
		sf_hash_wait(s->in.hash);
	rc = make_room(s, err);
	return rc < 0 ? rc : stream_decode(s, s->cap - (size_t)(s->end - s->buf), made, err);
}

int sf_stream_refill(struct sf_stream *s, size_t n, struct error *err)
{
	while (sf_stream_left(s) < n) {
		size_t made = 0;
		int flow;

		if (s->flow != SF_FLOW_MORE)
			return 0;
		if (!s->buf) { /* plain memory is all there from the start */
			s->flow = SF_FLOW_END;
			return 0;
		}
		flow = extend_window(s, &made, err);
		if (flow < 0)
			return flow;
		s->end += made;
		s->end_offset += made;
		if (s->codec)
			s->codec->made += made;
		s->flow = (enum sf_flow)flow;
	}
	return 1;
}

int sf_stream_resume(struct sf_stream *s, struct error *err)
{
	int rc;

	s->at = s->end;
	if (s->flow != SF_FLOW_CORRUPT || !s->codec || s->resumes == SF_RESUMES_MAX)
		return 0;
	s->resumes++;
	rc = s->codec->ops->resume(s->codec, &s->in, err);
	if (rc > 0)
		s->flow = SF_FLOW_MORE;
	return rc;
}

/* ---- beginning in the middle ---- */

void sf_access_add(struct sf_access_log *l, const struct sf_access *a)
{
	struct sf_access *new = l->list;

	if (l->count == l->cap) {
		new = realloc(l->list, (l->cap ? 2 * l->cap : 64) * sizeof(*new));
		if (!new) {
			l->failed = true;
			return;
		}
		l->list = new;
		l->cap = l->cap ? 2 * l->cap : 64;
	}
	new += l->count;
	*new = *a;
	if (a->window.n) {
		new->window.p = arena_strndup(&l->windows, a->window.p, a->window.n);
		l->failed |= !new->window.p;
	}
	l->count += !l->failed;
}

void sf_access_done(struct sf_access_log *l)
{
	free(l->list);
	arena_done(&l->windows);
	*l = (struct sf_access_log){0};
}

static int position_input(struct sf_input *in, const struct sf_access *a, struct error *err)
{
	uint64_t to = a->stored;

	if (in->memory) {
		uint64_t n = (uint64_t)(in->end - in->memory);

		in->at = in->memory + (to < n ? to : n);
		return 0;
	}
	if (in->inside && !arc_is_random(in->inside))
		return error_set(err, ERR_IO,
				 "cannot go to byte %llu of '%s', which is compressed as a whole",
				 (unsigned long long)to, in->name);
	if (in->inside)
		arc_seek(in->inside, to);
	else if (to > INT64_MAX || lseek(in->fd, (off_t)to, SEEK_SET) < 0)
		return error_sys(err, to > INT64_MAX ? EINVAL : errno,
				 "cannot go to byte %llu of '%s'", (unsigned long long)to,
				 in->name);
	in->at = in->end = in->buf;
	in->at_end = false;
	in->size = to;
	return 0;
}

/* Plain data begins anywhere; the byte before @offset tells whether the file is that long. */
static struct sf_access plain_access(uint64_t offset)
{
	uint64_t at = offset ? offset - 1 : 0;

	return (struct sf_access){.stored = at, .raw = at};
}

int sf_stream_enter(struct sf_stream *s, const struct sf_access *a, uint64_t offset,
		    struct error *err)
{
	struct sf_access here = s->codec ? *a : plain_access(offset);
	uint64_t step;
	int rc;

	settle_input(s);
	sf_hash_free(s->in.hash); /* of what is left out there is none */
	s->in.hash = NULL;
	if (!s->buf) { /* plain memory: its window is all of it */
		uint64_t n = (uint64_t)(s->end - s->in.memory);

		s->at = s->in.memory + (offset < n ? offset : n);
		return offset <= n;
	}
	rc = position_input(&s->in, &here, err);
	if (rc >= 0 && s->codec)
		rc = s->codec->ops->enter(s->codec, &s->in, &here, err);
	if (rc < 0)
		return rc;
	if (s->codec)
		s->codec->made = here.raw;
	s->at = s->end = s->buf;
	s->end_offset = here.raw;
	s->flow = SF_FLOW_MORE;
	while ((step = offset - sf_stream_offset(s))) {
		rc = sf_stream_need(s, 1, err);
		if (rc <= 0)
			return rc;
		sf_stream_skip(s, step < sf_stream_left(s) ? step : sf_stream_left(s));
	}
	return 1;
}

int sf_stream_drain(struct sf_stream *s, struct error *err)
{
	uint8_t scratch[4096];
	int64_t n;

	settle_input(s);
	s->in.at = s->in.end;
	if (s->in.at_end)
		return 0;
	do {
		n = s->in.buf ? sf_input_read(&s->in, s->in.buf, SF_INPUT_CHUNK, err)
			      : sf_input_read(&s->in, scratch, sizeof(scratch), err);
	} while (n > 0);
	return (int)n;
}

bool sf_stream_hash(struct sf_stream *s, uint8_t digest[32])
{
	return s->in.hash && sf_hash_end(s->in.hash, digest);
}
