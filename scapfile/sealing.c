/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of one seal, one after another. */
#include "scapfile/sealing.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "scapfile/files.h"
#include "scapfile/output.h"
#include "scapfile/stream.h"

#define HEADS_EVERY_NS 10000000000u

/* ---- lines ---- */

/* Behind a line that could not be written none may follow: it would not be the next one. */
static int begin_line(struct sf_seal *s, const char *kind, struct error *err)
{
	if (s->broken)
		return error_set(err, ERR_IO, "'%s' could not be written before", s->path);
	s->broken = true;
	buf_reset(&s->line);
	buf_char(&s->line, '{');
	if (!s->lines)
		buf_addf(&s->line, "\"seal\":%d,", SF_SEAL_VERSION);
	buf_addf(&s->line, "\"n\":%llu,\"kind\":\"%s\"", (unsigned long long)s->lines, kind);
	return 0;
}

/* A line in part is no line: it is taken back. */
static int write_line(struct sf_seal *s, struct error *err)
{
	if (sf_file_write(s->fd, s->line.p, s->line.len) == s->line.len) {
		s->stored += s->line.len;
		s->lines++;
		s->broken = false;
		return 0;
	}
	error_sys(err, errno, "cannot write '%s'", s->path);
	if (ftruncate(s->fd, (off_t)s->stored) == 0)
		(void)lseek(s->fd, (off_t)s->stored, SEEK_SET);
	return ERR_IO;
}

/* Somebody else may keep what the chain has come to: that this fails changes nothing here. */
static void tell_head(struct sf_seal *s, bool last)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (s->sealer->heads_fd < 0 || (!last && s->told && now - s->told < HEADS_EVERY_NS))
		return;
	s->told = now;
	sf_sealer_tell_head(s->sealer, s->path, s->lines - 1, s->hash);
}

static int end_line(struct sf_seal *s, struct error *err)
{
	struct sv covered = buf_view(&s->line);

	if (covered.n > SF_SEAL_LINE_MAX - SF_SEAL_TAIL_MAX)
		return error_set(err, ERR_LIMIT, "'%s': a line of %zu bytes, expected at most %u",
				 s->path, covered.n, SF_SEAL_LINE_MAX - SF_SEAL_TAIL_MAX);
	if (s->line.failed || !sf_seal_chain(s->hash, covered))
		return error_nomem(err);
	sf_seal_add_digest(&s->line, "hash", s->hash);
	if (!sf_sealer_tag(s->sealer, s->hash, &s->line))
		return error_nomem(err);
	buf_lit(&s->line, "}\n");
	return s->line.failed ? error_nomem(err) : write_line(s, err);
}

/* ---- the beginning ---- */

static int create(struct sf_seal *s, const char *capture, enum sf_placing placing,
		  struct error *err)
{
	int rc;

	s->path = sf_seal_name(capture);
	if (!s->path)
		return error_nomem(err);
	if (placing != SF_PLACE_NEW) {
		rc = sf_file_create_partial(s->path, &s->partial, err);
		if (rc < 0)
			return rc;
		s->fd = rc;
		return 0;
	}
	s->fd = sf_file_create(s->path);
	return s->fd < 0 ? error_sys(err, errno, "cannot create '%s'", s->path) : 0;
}

int sf_seal_begin(struct sf_seal *s, struct sf_sealer *sealer, const char *capture,
		  enum sf_placing placing, enum sf_compression c, struct error *err)
{
	int rc;

	*s = (struct sf_seal){.fd = -1, .synced = clock_ns(CLOCK_MONOTONIC)};
	if (!sealer)
		return 0;
	s->sealer = sealer;
	rc = sf_hash_new(&s->whole, err);
	if (rc >= 0)
		rc = create(s, capture, placing, err);
	if (rc >= 0)
		rc = begin_line(s, "head", err);
	if (rc < 0)
		return rc;
	sf_sealer_describe(sealer, &s->line, sf_file_base(capture), c);
	rc = end_line(s, err);
	if (rc >= 0)
		tell_head(s, false);
	return rc;
}

/* ---- what was written ---- */

static int add_bytes(struct sf_seal *s, const uint8_t *p, size_t n, struct error *err)
{
	uint8_t digest[SF_SEAL_DIGEST];

	if (EVP_Digest(p, n, digest, NULL, EVP_sha256(), NULL) != 1)
		return error_nomem(err);
	sf_hash_add(s->whole, p, n);
	sf_seal_add_number(&s->line, "at", s->at);
	sf_seal_add_number(&s->line, "size", n);
	sf_seal_add_digest(&s->line, "sha256", digest);
	s->at += n;
	return 0;
}

static void add_note(struct sf_seal *s, const struct sf_note *note)
{
	struct buf *b = &s->line;

	sf_seal_add_number(b, "events", note->count);
	sf_seal_add_number(b, "lost", note->lost);
	s->events += note->count;
	s->lost += note->lost;
	if (!note->has_time)
		return;
	sf_seal_add_time(b, "from", note->from);
	sf_seal_add_time(b, "to", note->to);
}

int sf_seal_frame(struct sf_seal *s, const uint8_t *p, size_t n, uint64_t raw,
		  const struct sf_note *note, struct error *err)
{
	int rc;

	if (!s->sealer)
		return 0;
	rc = begin_line(s, "frame", err);
	if (rc < 0)
		return rc;
	sf_seal_add_number(&s->line, "frame", ++s->frames);
	rc = add_bytes(s, p, n, err);
	if (rc < 0)
		return rc;
	if (raw != UINT64_MAX) {
		sf_seal_add_number(&s->line, "raw_at", s->raw);
		sf_seal_add_number(&s->line, "raw", raw);
		s->raw += raw;
	}
	if (note)
		add_note(s, note);
	rc = end_line(s, err);
	if (rc >= 0)
		tell_head(s, false);
	return rc;
}

int sf_seal_table(struct sf_seal *s, const uint8_t *p, size_t n, struct error *err)
{
	int rc;

	if (!s->sealer)
		return 0;
	rc = begin_line(s, "table", err);
	if (rc >= 0)
		rc = add_bytes(s, p, n, err);
	return rc < 0 ? rc : end_line(s, err);
}

static void add_signed(struct buf *b, const char *name, int64_t v)
{
	buf_addf(b, ",\"%s\":%lld", name, (long long)v);
}

int sf_seal_clock(struct sf_seal *s, const struct sf_clock *c, struct error *err)
{
	struct buf *b = &s->line;
	int rc;

	if (!s->sealer)
		return 0;
	rc = begin_line(s, "clock", err);
	if (rc < 0)
		return rc;
	s->steps += s->clocks++ && sf_clock_stepped(&s->clock, c);
	s->clock = *c;
	buf_addf(b, ",\"why\":\"%s\"", sf_clock_why_name(c->why));
	sf_seal_add_time(b, "realtime", c->realtime);
	sf_seal_add_time(b, "monotonic", c->monotonic);
	sf_seal_add_time(b, "boottime", c->boottime);
	sf_seal_add_time(b, "tai", c->tai);
	if (c->disciplined) {
		buf_addf(b, ",\"synchronized\":%s", c->synchronized ? "true" : "false");
		add_signed(b, "status", c->status);
		add_signed(b, "offset_ns", c->offset_ns);
		add_signed(b, "maxerror_us", c->maxerror_us);
	}
	return end_line(s, err);
}

/* ---- the disk ---- */

bool sf_seal_sync_due(const struct sf_seal *s)
{
	return s->sealer && s->sealer->opt->sync_ns &&
	       clock_ns(CLOCK_MONOTONIC) - s->synced >= s->sealer->opt->sync_ns;
}

/* File systems that cannot promise it are used all the same. */
static int sync_file(const struct sf_seal *s, struct error *err)
{
	if (fdatasync(s->fd) == 0 || errno == EINVAL)
		return 0;
	return error_sys(err, errno, "cannot write '%s'", s->path);
}

int sf_seal_sync(struct sf_seal *s, struct error *err)
{
	if (!s->sealer)
		return 0;
	s->synced = clock_ns(CLOCK_MONOTONIC);
	return sync_file(s, err);
}

/* ---- the end ---- */

static int add_ending(struct sf_seal *s, struct error *err)
{
	struct buf *b = &s->line;

	if (!sf_hash_end(s->whole, s->digest))
		return error_nomem(err);
	buf_addf(b, ",\"ended\":\"%s\"", sf_seal_endings[s->ending]);
	sf_seal_add_time(b, "made", clock_ns(CLOCK_REALTIME));
	sf_seal_add_number(b, "size", s->at);
	sf_seal_add_digest(b, "sha256", s->digest);
	sf_seal_add_number(b, "frames", s->frames);
	sf_seal_add_number(b, "events", s->events);
	sf_seal_add_number(b, "lost", s->lost);
	sf_seal_add_number(b, "clocks", s->clocks);
	sf_seal_add_number(b, "steps", s->steps);
	sf_sealer_add_lineage(s->sealer, b);
	return 0;
}

int sf_seal_end(struct sf_seal *s, struct error *err)
{
	int rc;

	if (!s->sealer)
		return 0;
	rc = begin_line(s, "end", err);
	if (rc >= 0)
		rc = add_ending(s, err);
	if (rc >= 0)
		rc = end_line(s, err);
	if (rc >= 0)
		rc = sync_file(s, err);
	if (close(s->fd) < 0 && rc >= 0)
		rc = error_sys(err, errno, "cannot write '%s'", s->path);
	s->fd = -1;
	if (rc < 0)
		return rc;
	tell_head(s, true);
	return s->partial ? 0 : sf_sealer_follow(s->sealer, s->path, s->hash, err);
}

static void forget_partial(struct sf_seal *s)
{
	free(s->partial);
	s->partial = NULL;
}

int sf_seal_place(struct sf_seal *s, const char *path, struct error *err)
{
	char *name;
	int rc = 0;

	if (!s->sealer || !s->partial)
		return 0;
	name = sf_seal_name(path);
	if (!name)
		return error_nomem(err);
	if (sf_file_rename_to_new(s->partial, name) < 0) {
		rc = error_sys(err, errno, "cannot create '%s'", name);
	} else {
		forget_partial(s);
		rc = sf_sealer_follow(s->sealer, name, s->hash, err);
	}
	free(name);
	return rc;
}

void sf_seal_unplace(struct sf_seal *s, const char *path)
{
	if (s->sealer && !s->partial)
		s->partial = sf_seal_name(path);
}

int sf_seal_forget(const char *path, struct error *err)
{
	char *name = sf_seal_name(path);
	int rc = 0;

	if (!name)
		return error_nomem(err);
	if (unlink(name) < 0 && errno != ENOENT)
		rc = error_sys(err, errno, "cannot replace '%s'", name);
	free(name);
	return rc;
}

void sf_seal_done(struct sf_seal *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->partial)
		(void)unlink(s->partial);
	free(s->partial);
	free(s->path);
	sf_hash_free(s->whole);
	buf_done(&s->line);
	*s = (struct sf_seal){.fd = -1};
}
