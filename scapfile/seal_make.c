/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing a capture that is there already. Its frames are found again, so that the seal has the
 * grain that one made meanwhile has; a frame larger than a segment is cut, what has no frames as
 * well. A reader goes along and counts the events of each.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scapfile/frames.h"
#include "scapfile/output.h"
#include "scapfile/stream.h"

#define SEGMENT_MAX (8u << 20) /* as stored */

struct making {
	const struct sf_seal_check_options *watch;
	struct sf_sealer sealer;
	struct sf_seal seal;
	struct sf_input in;
	struct sf_frames frames;
	struct sf_reader *reader; /* goes along */
	uint8_t *segment;	  /* SEGMENT_MAX bytes */
	size_t len, max;
	bool knows_raw; /* offsets of all segments so far */
	struct sf_seal_made *out;
};

/* ---- events ---- */

static void count_item(const struct ev_item *item, struct sf_note *note)
{
	uint64_t ts;

	if (item->kind == EV_ITEM_LOSS) {
		note->lost += item->loss->count;
		return;
	}
	if (item->kind != EV_ITEM_EVENT)
		return;
	note->count++;
	ts = item->ev->ts;
	if (ts == UINT64_MAX)
		return;
	if (!note->has_time || ts < note->from)
		note->from = ts;
	if (!note->has_time || ts > note->to)
		note->to = ts;
	note->has_time = true;
}

/* Of all blocks that end before @raw. What the reader cannot read is not this one's business. */
static int count_to(struct making *m, uint64_t raw, struct sf_note *note, struct error *err)
{
	struct ev_source *source = sf_reader_source(m->reader);
	struct ev_item item;
	int rc = 1;

	while (rc > 0 && sf_reader_offset(m->reader) < raw) {
		rc = ev_source_next(source, &item, err);
		if (rc > 0)
			count_item(&item, note);
	}
	return rc < 0 ? rc : 0;
}

/* ---- segments ---- */

/* @raw: uncompressed bytes of the segment; UINT64_MAX: not known. */
static int end_segment(struct making *m, bool is_table, uint64_t raw, struct error *err)
{
	struct sf_note note = {0};
	int rc = 0;

	if (!m->len)
		return 0;
	if (is_table) {
		rc = sf_seal_table(&m->seal, m->segment, m->len, err);
		m->len = 0;
		return rc;
	}
	m->knows_raw = m->knows_raw && raw != UINT64_MAX;
	if (m->knows_raw)
		rc = count_to(m, m->seal.raw + raw, &note, err);
	if (rc >= 0)
		rc = sf_seal_frame(&m->seal, m->segment, m->len, m->knows_raw ? raw : UINT64_MAX,
				   m->knows_raw ? &note : NULL, err);
	m->len = 0;
	return rc;
}

static int watch(const struct making *m, struct error *err)
{
	if (m->watch->progress)
		m->watch->progress(m->watch->arg, m->in.size);
	if (m->watch->stop && m->watch->stop(m->watch->arg))
		return error_set(err, ERR_INTERRUPTED, "stopped");
	return 0;
}

/* Take what is left of the input's chunk, up to the end of a frame or segment. */
static int take_part(struct making *m, struct error *err)
{
	size_t n = (size_t)(m->in.end - m->in.at);
	struct sf_frames_step step;
	int rc;

	if (n > m->max - m->len)
		n = m->max - m->len;
	rc = sf_frames_step(&m->frames, m->in.at, n, &step, err);
	if (rc < 0)
		return rc;
	memcpy(m->segment + m->len, m->in.at, step.used);
	m->len += step.used;
	m->in.at += step.used;
	if (!step.ended && m->len < m->max)
		return 0;
	return end_segment(m, step.skippable, sf_frames_made(&m->frames, step.ended), err);
}

static int take_all(struct making *m, struct error *err)
{
	int rc;

	while ((rc = sf_input_fill(&m->in, err)) > 0) {
		rc = watch(m, err);
		while (rc >= 0 && m->in.at != m->in.end)
			rc = take_part(m, err);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : end_segment(m, false, sf_frames_made(&m->frames, false), err);
}

/* ---- all of it ---- */

/* Damage that is not a loss of the recorder's. */
static bool is_damaged(const struct making *m)
{
	size_t n;
	const struct sf_gap *gaps = sf_reader_gaps(m->reader, &n);
	uint64_t gap = 0;

	for (size_t i = 0; i < n; i++)
		gap += gaps[i].reason != SF_GAP_RECORDED;
	return gap || sf_reader_stats(m->reader)->gaps > n;
}

static int open_all(struct making *m, const char *path, struct error *err)
{
	int rc = sf_reader_open(path, NULL, &m->reader, err);
	enum sf_compression c;

	if (rc >= 0)
		rc = sf_input_open(&m->in, path, false, err);
	if (rc < 0)
		return rc;
	c = sf_reader_stats(m->reader)->compression;
	m->max = c == SF_PLAIN ? SF_SEAL_SEGMENT : SEGMENT_MAX;
	m->segment = malloc(m->max);
	if (!m->segment)
		return error_nomem(err);
	m->knows_raw = true;
	rc = sf_frames_init(&m->frames, c, err);
	return rc < 0 ? rc : sf_seal_begin(&m->seal, &m->sealer, path, SF_PLACE_LATER, c, err);
}

static int make(struct making *m, const char *path, const char *reason, struct error *err)
{
	const struct sf_lineage lineage = {.operation = "seal", .reason = reason};
	struct sf_note rest = {0};
	int rc = open_all(m, path, err);

	if (rc >= 0)
		rc = take_all(m, err);
	if (rc >= 0)
		rc = count_to(m, UINT64_MAX, &rest, err);
	m->seal.events += rest.count;
	m->seal.lost += rest.lost;
	if (rc >= 0)
		rc = sf_sealer_lineage(&m->sealer, &lineage, err);
	if (rc >= 0)
		rc = sf_seal_end(&m->seal, err);
	if (rc >= 0)
		rc = sf_seal_place(&m->seal, path, err);
	if (rc < 0)
		return rc;
	m->out->frames = m->seal.frames;
	m->out->size = m->seal.at;
	m->out->damaged = is_damaged(m);
	memcpy(m->out->sha256, m->seal.digest, SF_SEAL_DIGEST);
	return 0;
}

/* Found out before the capture is read, and once more when the seal gets its name. */
static int check_place(const char *path, struct error *err)
{
	char *name = sf_seal_name(path);
	int rc = 0;

	if (!name)
		return error_nomem(err);
	if (access(name, F_OK) == 0)
		rc = error_sys(err, EEXIST, "cannot create '%s'", name);
	free(name);
	return rc;
}

int sf_seal_capture(const char *path, const struct sf_seal_options *opt,
		    const struct sf_seal_check_options *watching, const char *reason,
		    struct sf_seal_made *out, struct error *err)
{
	static const struct sf_seal_check_options nobody;
	struct making m = {.watch = watching ? watching : &nobody, .out = out};
	int rc = check_place(path, err);

	*out = (struct sf_seal_made){0};
	m.in.fd = m.seal.fd = -1;
	if (rc >= 0)
		rc = sf_sealer_init(&m.sealer, opt, err);
	if (rc >= 0)
		rc = make(&m, path, reason, err);
	sf_seal_done(&m.seal);
	sf_sealer_done(&m.sealer);
	sf_frames_done(&m.frames);
	sf_input_done(&m.in);
	sf_reader_close(m.reader);
	free(m.segment);
	return rc;
}
