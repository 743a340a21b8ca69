/* SPDX-License-Identifier: Apache-2.0 */
/* The frames a seal names, as far as the chain vouches for its lines. */
#include <stdio.h>
#include <stdlib.h>

#include "scapfile/seal_read.h"

struct frames_reader {
	struct sf_seal_reader seal;
	struct sf_seal_frames *out;
	size_t room;
	uint64_t numbered; /* frames, without tables */
};

static int refuse(struct frames_reader *r, uint64_t line, const char *what)
{
	r->out->broken = line;
	snprintf(r->out->what, sizeof(r->out->what), "%s", what);
	return 0;
}

static int take_head(struct frames_reader *r, struct error *err)
{
	const cJSON *line = r->seal.line.json;
	uint64_t version;

	if (!sf_seal_number(line, "seal", &version))
		return refuse(r, 1, "it is not the head of a seal");
	if (version != SF_SEAL_VERSION)
		return error_set(err, ERR_UNSUPPORTED,
				 "'%s' is a seal of version %llu, expected %d", r->seal.in.name,
				 (unsigned long long)version, SF_SEAL_VERSION);
	/* Whoever writes a capture ends frames with blocks; those who seal it later cut it
	 * anywhere. */
	r->out->at_blocks =
	    sf_seal_choice(line, "origin", sf_seal_origins, SF_SEAL_LATER + 1) < SF_SEAL_LATER;
	return 1;
}

static struct sf_seal_frame *frame_room(struct frames_reader *r)
{
	struct sf_seal_frames *out = r->out;
	size_t room = r->room ? 2 * r->room : 64;
	struct sf_seal_frame *list;

	if (out->n < r->room)
		return &out->list[out->n];
	list = realloc(out->list, room * sizeof(*list));
	if (!list)
		return NULL;
	out->list = list;
	r->room = room;
	return &out->list[out->n];
}

/* Return: 1, 0: nothing from here on is taken, or ERR_*. */
static int take_frame(struct frames_reader *r, bool is_table, struct error *err)
{
	const cJSON *line = r->seal.line.json;
	struct sf_seal_frames *out = r->out;
	struct sf_seal_frame f = {.events = UINT64_MAX, .is_table = is_table};
	struct sf_seal_frame *to;
	uint64_t number;

	if (!sf_seal_number(line, "at", &f.at) || !sf_seal_number(line, "size", &f.size) ||
	    !sf_seal_digest(line, "sha256", f.sha256) || f.at != out->size ||
	    (!is_table && (!sf_seal_number(line, "frame", &number) || number != r->numbered + 1)))
		return refuse(r, r->seal.lines, "it does not go on where the line before it ends");
	if (out->n == SF_SEAL_FRAMES_MAX)
		return refuse(r, r->seal.lines, "more frames than can be kept");
	(void)sf_seal_number(line, "events", &f.events);
	(void)sf_seal_time(line, "from", &f.from);
	(void)sf_seal_time(line, "to", &f.to);
	to = frame_room(r);
	if (!to)
		return error_nomem(err);
	*to = f;
	out->n++;
	out->size += f.size;
	r->numbered += !is_table;
	return 1;
}

static int take_end(struct frames_reader *r)
{
	uint64_t size;

	if (!sf_seal_number(r->seal.line.json, "size", &size) || size != r->out->size)
		return refuse(r, r->seal.lines, "it does not agree with the lines before it");
	r->out->ended = true;
	return 0;
}

static int take_line(struct frames_reader *r, struct error *err)
{
	switch (r->seal.line.kind) {
	case SF_SEAL_HEAD:
		return take_head(r, err);
	case SF_SEAL_FRAME:
		return take_frame(r, false, err);
	case SF_SEAL_TABLE:
		return take_frame(r, true, err);
	case SF_SEAL_END:
		return take_end(r);
	case SF_SEAL_CLOCK:
	case SF_SEAL_OTHER:
		break;
	}
	return 1;
}

static int read_lines(struct frames_reader *r, struct error *err)
{
	int rc = 1;

	while (rc > 0) {
		rc = sf_seal_reader_next(&r->seal, err);
		if (rc == 0 && r->seal.what[0])
			refuse(r, r->seal.lines + 1, r->seal.what);
		if (rc > 0)
			rc = take_line(r, err);
	}
	return rc < 0 ? rc : 1;
}

int sf_seal_frames(const char *path, struct sf_seal_frames *out, struct error *err)
{
	struct frames_reader r = {.seal = {.in = {.fd = -1}}, .out = out};
	char *name = sf_seal_name(path);
	int rc;

	*out = (struct sf_seal_frames){0};
	if (!name)
		return error_nomem(err);
	rc = sf_seal_reader_open(&r.seal, name, err);
	if (rc > 0)
		rc = read_lines(&r, err);
	sf_seal_reader_done(&r.seal);
	free(name);
	return rc;
}

int sf_seal_frames_memory(struct sv seal, struct sf_seal_frames *out, struct error *err)
{
	struct frames_reader r = {.out = out};
	int rc;

	*out = (struct sf_seal_frames){0};
	sf_seal_input_of(&r.seal.in, seal, "seal");
	rc = read_lines(&r, err);
	sf_seal_reader_done(&r.seal);
	return rc;
}

void sf_seal_frames_done(struct sf_seal_frames *f)
{
	free(f->list);
	*f = (struct sf_seal_frames){0};
}
