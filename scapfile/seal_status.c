/* SPDX-License-Identifier: Apache-2.0 */
/* What the first and the last line of a seal say, without reading the capture. */
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "scapfile/seal_read.h"

struct look {
	uint64_t size; /* of the capture */
	struct sf_seal_status *out;
	struct sf_seal_words *words; /* or NULL */
	bool nomem;
};

/* A line of @tail that tells how far the seal goes. Return: false if it is none. */
static bool take_line(const struct sf_seal_line *l, struct look *k)
{
	struct sf_seal_status *out = k->out;
	uint64_t size = k->size;
	uint64_t at, n;

	if (l->kind == SF_SEAL_END && sf_seal_number(l->json, "size", &n) &&
	    sf_seal_digest(l->json, "sha256", out->sha256)) {
		unsigned ending =
		    sf_seal_choice(l->json, "ended", sf_seal_endings, SF_SEAL_CUT + 1);

		(void)sf_seal_number(l->json, "frames", &out->frames);
		(void)sf_seal_number(l->json, "events", &out->events);
		(void)sf_seal_number(l->json, "lost", &out->lost);
		(void)sf_seal_number(l->json, "clocks", &out->clocks);
		(void)sf_seal_number(l->json, "steps", &out->nsteps);
		out->rotated = ending == SF_SEAL_ROTATED;
		out->cut = ending == SF_SEAL_CUT;
		out->verdict = n == size ? SF_SEAL_INTACT : SF_SEAL_ALTERED;
		if (k->words)
			k->nomem = sf_seal_read_lineage(l->json, &k->words->arena,
							&k->words->lineage, NULL) < 0;
		return true;
	}
	if (l->kind != SF_SEAL_FRAME || !sf_seal_number(l->json, "at", &at) ||
	    !sf_seal_number(l->json, "size", &n) || !sf_seal_number(l->json, "frame", &out->frames))
		return false;
	out->verdict = at + n <= size ? SF_SEAL_PREFIX : SF_SEAL_ALTERED;
	return true;
}

/* Lines from the last one backwards, to one that tells something. */
static void look_at_tail(struct sv tail, struct look *k)
{
	bool told = false;

	while (!told && tail.n) {
		const char *before = memrchr(tail.p, '\n', tail.n - 1);
		size_t at = before ? (size_t)(before + 1 - tail.p) : 0;
		struct sv text = sv_drop(tail, at), covered;
		uint8_t hash[SF_SEAL_DIGEST];
		struct sf_seal_line line;
		char what[160];

		text.n--;
		if (sf_seal_parse(text, &line, &covered, hash, what) < 0) {
			k->out->verdict = SF_SEAL_BROKEN;
			told = true;
		} else {
			told = take_line(&line, k);
		}
		sf_seal_line_done(&line);
		tail.n = at;
	}
}

/* The end of the seal, up to its last line end. */
static int read_tail(const struct sf_seal_reader *r, struct buf *tail, struct error *err)
{
	struct arc_file *f;
	uint64_t size;
	int64_t n;
	int rc = arc_open_random(r->in.name, 0, &f, err);

	if (rc < 0)
		return rc;
	size = arc_size(f);
	n = buf_room(tail, SF_SEAL_LINE_MAX)
		? arc_pread(f, tail->p, SF_SEAL_LINE_MAX,
			    size > SF_SEAL_LINE_MAX ? size - SF_SEAL_LINE_MAX : 0, err)
		: error_nomem(err);
	arc_close(f);
	if (n < 0)
		return (int)n;
	tail->len = (size_t)n;
	while (tail->len && tail->p[tail->len - 1] != '\n')
		tail->len--;
	return 0;
}

static int look(struct sf_seal_reader *r, struct look *k, struct error *err)
{
	struct sf_seal_status *out = k->out;
	struct buf tail = {0};
	int rc = sf_seal_reader_next(r, err);

	if (rc < 0)
		return rc;
	out->verdict = rc || r->torn || !r->what[0] ? SF_SEAL_PREFIX : SF_SEAL_BROKEN;
	if (!rc)
		return 0;
	out->origin = (enum sf_seal_origin)sf_seal_choice(r->line.json, "origin", sf_seal_origins,
							  SF_SEAL_LATER);
	(void)sf_seal_time(r->line.json, "made", &out->made);
	out->tagged = r->line.tagged;
	rc = k->words ? sf_seal_read_facts(r->line.json, &k->words->arena, &k->words->facts, err)
		      : 0;
	if (rc >= 0)
		rc = read_tail(r, &tail, err);
	if (rc >= 0)
		look_at_tail(sv_make(tail.p, tail.len), k);
	buf_done(&tail);
	return rc < 0 || !k->nomem ? rc : error_nomem(err);
}

int sf_seal_status(const char *path, struct sf_seal_status *out, struct error *err)
{
	return sf_seal_look(path, out, NULL, err);
}

void sf_seal_words_done(struct sf_seal_words *w)
{
	arena_done(&w->arena);
}

int sf_seal_look(const char *path, struct sf_seal_status *out, struct sf_seal_words *words,
		 struct error *err)
{
	struct look k = {.out = out, .words = words};
	struct sf_seal_reader r = {.in = {.fd = -1}};
	char *name = sf_seal_name(path);
	enum arc_kind kind;
	uint64_t size;
	int rc;

	*out = (struct sf_seal_status){0};
	if (words)
		*words = (struct sf_seal_words){0};
	if (!name)
		return error_nomem(err);
	rc = arc_look(path, &kind, &k.size, err);
	if (rc == 0 && arc_look(name, &kind, &size, NULL) == 0 && kind == ARC_FILE) {
		rc = sf_input_open(&r.in, name, false, err);
		if (rc >= 0)
			rc = look(&r, &k, err);
	}
	sf_seal_reader_done(&r);
	free(name);
	return rc;
}
