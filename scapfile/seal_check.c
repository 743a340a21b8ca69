/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capture compared with its seal: lines are read one after another, and for each the bytes it
 * speaks of. What a line says counts only once the chain has vouched for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scapfile/seal_read.h"

#define KEY_STEPS_MAX (1ull << 26) /* of a key, computed before the first line: a few seconds */

struct check {
	const struct sf_seal_check_options *opt;
	struct sf_seal_report *out;
	struct sf_seal_reader seal;
	struct sf_input capture;
	struct sf_hash *whole;
	bool has_key, has_head;
	uint8_t key[SF_SEAL_DIGEST];
	struct sf_clock clock; /* the last one */
};

/* ---- names ---- */

const char *sf_seal_verdict_name(enum sf_seal_verdict v)
{
	static const char *const names[] = {
	    [SF_SEAL_NONE] = "none",	   [SF_SEAL_INTACT] = "intact", [SF_SEAL_PREFIX] = "prefix",
	    [SF_SEAL_ALTERED] = "altered", [SF_SEAL_BROKEN] = "broken",
	};

	return names[v];
}

const char *sf_seal_origin_name(enum sf_seal_origin o)
{
	return sf_seal_origins[o];
}

const char *sf_seal_fault_name(enum sf_seal_fault_kind k)
{
	static const char *const names[] = {
	    [SF_SEAL_FAULT_NONE] = "none", [SF_SEAL_FAULT_FRAME] = "frame",
	    [SF_SEAL_FAULT_CUT] = "cut",   [SF_SEAL_FAULT_BEHIND] = "behind",
	    [SF_SEAL_FAULT_LINE] = "line", [SF_SEAL_FAULT_TAG] = "tag",
	};

	return names[k];
}

/* ---- what is wrong ---- */

/* Only the first fault is kept. */
static void note_fault(struct check *c, const struct sf_seal_fault *f)
{
	bool in_seal = f->kind == SF_SEAL_FAULT_LINE || f->kind == SF_SEAL_FAULT_TAG;

	if (c->out->faults++)
		return;
	c->out->verdict = in_seal ? SF_SEAL_BROKEN : SF_SEAL_ALTERED;
	c->out->first = *f;
}

/* The line is none of a seal, or says what cannot be. */
static void bad_line(struct check *c, uint64_t line, enum sf_seal_fault_kind kind, const char *what)
{
	struct sf_seal_fault f = {.kind = kind, .line = line};

	snprintf(f.what, sizeof(f.what), "%s", what);
	note_fault(c, &f);
}

static void bad_this_line(struct check *c, const char *what)
{
	bad_line(c, c->seal.lines, SF_SEAL_FAULT_LINE, what);
}

/* ---- the capture's bytes ---- */

/* The next @n bytes, or to the end, into @h (or NULL). Return: 0 with *got, or ERR_*. */
static int take_bytes(struct check *c, uint64_t n, struct sf_hash *h, uint64_t *got,
		      struct error *err)
{
	const struct sf_seal_check_options *opt = c->opt;
	int rc = 1;

	for (*got = 0; *got < n && (rc = sf_input_fill(&c->capture, err)) > 0;) {
		size_t part = (size_t)(c->capture.end - c->capture.at);

		if (part > n - *got)
			part = (size_t)(n - *got);
		if (h)
			sf_hash_add(h, c->capture.at, part);
		sf_hash_add(c->whole, c->capture.at, part);
		c->capture.at += part;
		*got += part;
		c->out->size += part;
		if (opt->progress)
			opt->progress(opt->arg, c->out->size);
		if (opt->stop && opt->stop(opt->arg))
			return error_set(err, ERR_INTERRUPTED, "stopped");
	}
	return rc < 0 ? rc : 0;
}

/* Return: 1 if the next @n bytes have the hash @want, 0 with *got if not, or ERR_*. */
static int compare_bytes(struct check *c, uint64_t n, const uint8_t want[SF_SEAL_DIGEST],
			 uint64_t *got, struct error *err)
{
	uint8_t digest[SF_SEAL_DIGEST];
	struct sf_hash *h;
	int rc = sf_hash_new(&h, err);

	if (rc < 0)
		return rc;
	rc = take_bytes(c, n, h, got, err);
	if (rc >= 0 && !sf_hash_end(h, digest))
		rc = error_nomem(err);
	sf_hash_free(h);
	if (rc < 0)
		return rc;
	return *got == n && memcmp(digest, want, SF_SEAL_DIGEST) == 0;
}

static void describe_fault(const struct check *c, uint64_t got, struct sf_seal_fault *f)
{
	const cJSON *line = c->seal.line.json;

	f->kind = got < f->size ? SF_SEAL_FAULT_CUT : SF_SEAL_FAULT_FRAME;
	f->has_raw =
	    sf_seal_number(line, "raw_at", &f->raw_at) && sf_seal_number(line, "raw", &f->raw);
	f->has_time = sf_seal_time(line, "from", &f->from) && sf_seal_time(line, "to", &f->to);
	if (!got && f->size)
		snprintf(f->what, sizeof(f->what), "the capture ends before it");
	else if (got < f->size)
		snprintf(f->what, sizeof(f->what), "the capture ends within it, %llu bytes short",
			 (unsigned long long)(f->size - got));
	else
		snprintf(f->what, sizeof(f->what), "its bytes are not those that were sealed");
}

/* ---- lines ---- */

static int check_bytes(struct check *c, bool is_frame, struct error *err)
{
	const cJSON *line = c->seal.line.json;
	struct sf_seal_fault f = {.line = c->seal.lines};
	uint8_t want[SF_SEAL_DIGEST];
	uint64_t got, n;
	int rc;

	if (!sf_seal_number(line, "at", &f.at) || !sf_seal_number(line, "size", &f.size) ||
	    !sf_seal_digest(line, "sha256", want) || f.at != c->out->sealed ||
	    (is_frame &&
	     (!sf_seal_number(line, "frame", &f.frame) || f.frame != c->out->frames + 1))) {
		bad_this_line(c, "it does not go on where the line before it ends");
		return 0;
	}
	rc = compare_bytes(c, f.size, want, &got, err);
	if (rc < 0)
		return rc;
	c->out->sealed += f.size;
	c->out->frames += is_frame;
	if (!rc) {
		describe_fault(c, got, &f);
		note_fault(c, &f);
		return 0;
	}
	if (!c->out->faults)
		c->out->proven = c->out->sealed;
	c->out->matched += is_frame;
	if (sf_seal_number(line, "events", &n))
		c->out->events += n;
	if (sf_seal_number(line, "lost", &n))
		c->out->lost += n;
	return 0;
}

static void note_step(struct check *c, const struct sf_clock *now)
{
	struct sf_seal_report *r = c->out;
	int64_t slept = sf_clock_slept(&c->clock, now);

	if (slept > 0)
		r->slept_ns += (uint64_t)slept;
	if (!sf_clock_stepped(&c->clock, now))
		return;
	if (r->nsteps < SF_SEAL_STEPS_MAX)
		r->steps[r->nsteps] = (struct sf_seal_step){
		    .before = c->clock.realtime,
		    .after = now->realtime,
		    .ns = sf_clock_step(&c->clock, now),
		};
	r->nsteps++;
}

static void take_clock(struct check *c)
{
	const cJSON *line = c->seal.line.json;
	struct sf_seal_report *r = c->out;
	struct sf_clock now = {0};

	if (!sf_seal_time(line, "realtime", &now.realtime) ||
	    !sf_seal_time(line, "monotonic", &now.monotonic) ||
	    !sf_seal_time(line, "boottime", &now.boottime)) {
		bad_this_line(c, "it does not say what the clocks were");
		return;
	}
	if (r->clocks++)
		note_step(c, &now);
	c->clock = now;
	if (sf_seal_signed(line, "maxerror_us", &now.maxerror_us) &&
	    now.maxerror_us > r->maxerror_us)
		r->maxerror_us = now.maxerror_us;
	r->unsynchronized += cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(line, "synchronized"));
}

static int take_end(struct check *c, uint8_t sha256[SF_SEAL_DIGEST], struct error *err)
{
	const cJSON *line = c->seal.line.json;
	struct sf_seal_report *r = c->out;
	uint64_t size, frames;
	unsigned ending = sf_seal_choice(line, "ended", sf_seal_endings, SF_SEAL_CUT + 1);

	if (ending > SF_SEAL_CUT || !sf_seal_number(line, "size", &size) ||
	    !sf_seal_number(line, "frames", &frames) || !sf_seal_digest(line, "sha256", sha256) ||
	    size != r->sealed || frames != r->frames) {
		bad_this_line(c, "it does not agree with the lines before it");
		return 0;
	}
	r->ended = true;
	r->rotated = ending == SF_SEAL_ROTATED;
	r->cut = ending == SF_SEAL_CUT;
	return sf_seal_read_lineage(line, &r->arena, &r->lineage, err);
}

/* ---- keys ---- */

static int parse_key(const char *path, char *text, size_t n, uint8_t key[SF_SEAL_DIGEST],
		     struct error *err)
{
	const size_t magic = sizeof(SF_SEAL_KEY_MAGIC) - 1;
	struct sv rest = sv_make(text, n);

	if (sv_ends(rest, SV_LIT("\n")))
		rest.n--;
	if (!sv_starts(rest, SV_LIT(SF_SEAL_KEY_MAGIC)) ||
	    !sf_seal_unhex(sv_drop(rest, magic), key))
		return error_set(err, ERR_FORMAT, "'%s' is no key of a seal", path);
	return 0;
}

static int load_key(struct check *c, struct error *err)
{
	const char *path = c->opt->key_path;
	char text[256];
	ssize_t n;
	int rc, fd;

	if (!path)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_sys(err, errno, "cannot open '%s'", path);
	n = read(fd, text, sizeof(text));
	rc = n < 0 ? error_sys(err, errno, "cannot read '%s'", path)
		   : parse_key(path, text, (size_t)n, c->key, err);
	OPENSSL_cleanse(text, sizeof(text));
	close(fd);
	c->has_key = rc == 0;
	return rc;
}

/* The key of the first line: others were used up in files before this one. */
static int begin_key(struct check *c, struct error *err)
{
	uint64_t steps;

	if (!sf_seal_number(c->seal.line.json, "key_step", &steps) || steps > KEY_STEPS_MAX) {
		bad_line(c, 1, SF_SEAL_FAULT_TAG, "this capture was not sealed with a key");
		return 0;
	}
	for (; steps; steps--)
		if (!sf_seal_next_key(c->key))
			return error_nomem(err);
	return 0;
}

static int check_tag(struct check *c, struct error *err)
{
	const struct sf_seal_line *l = &c->seal.line;
	uint8_t want[SF_SEAL_DIGEST];

	if (!c->has_key) {
		if (l->tagged)
			c->out->tags = SF_SEAL_TAGS_UNCHECKED;
		return 0;
	}
	if (!sf_seal_tag(c->key, c->seal.hash, want) || !sf_seal_next_key(c->key))
		return error_nomem(err);
	if (!l->tagged || CRYPTO_memcmp(want, l->tag, SF_SEAL_DIGEST) != 0)
		bad_line(c, c->seal.lines, SF_SEAL_FAULT_TAG,
			 l->tagged ? "its tag was not made with the key" : "it has no tag");
	else
		c->out->tags = SF_SEAL_TAGS_VALID;
	return 0;
}

/* ---- all of it ---- */

static int take_head(struct check *c, struct error *err)
{
	const cJSON *line = c->seal.line.json;
	uint64_t version;

	if (!sf_seal_number(line, "seal", &version)) {
		bad_this_line(c, "it is not the head of a seal");
		return 0;
	}
	if (version != SF_SEAL_VERSION)
		return error_set(err, ERR_UNSUPPORTED,
				 "'%s' is a seal of version %llu, expected %d", c->seal.in.name,
				 (unsigned long long)version, SF_SEAL_VERSION);
	return sf_seal_read_facts(line, &c->out->arena, &c->out->facts, err);
}

static int take_line(struct check *c, uint8_t sha256[SF_SEAL_DIGEST], struct error *err)
{
	switch (c->seal.line.kind) {
	case SF_SEAL_HEAD:
		return take_head(c, err);
	case SF_SEAL_FRAME:
		return check_bytes(c, true, err);
	case SF_SEAL_TABLE:
		return check_bytes(c, false, err);
	case SF_SEAL_CLOCK:
		take_clock(c);
		return 0;
	case SF_SEAL_END:
		return take_end(c, sha256, err);
	case SF_SEAL_OTHER:
		break;
	}
	return 0;
}

/* Once the seal itself is not what was written, nothing more can be learnt from it. */
static bool is_broken(const struct check *c)
{
	return c->out->verdict == SF_SEAL_BROKEN;
}

static int check_lines(struct check *c, uint8_t sha256[SF_SEAL_DIGEST], struct error *err)
{
	int rc = 0;

	while (!is_broken(c) && (rc = sf_seal_reader_next(&c->seal, err)) > 0) {
		if (c->out->ended) {
			bad_this_line(c, "it follows the end");
			break;
		}
		if (c->has_key && c->seal.lines == 1)
			rc = begin_key(c, err);
		if (rc >= 0 && !is_broken(c))
			rc = check_tag(c, err);
		if (rc >= 0 && !is_broken(c))
			rc = take_line(c, sha256, err);
		if (rc < 0)
			return rc;
		c->out->lines = c->seal.lines;
		memcpy(c->out->last_hash, c->seal.hash, SF_SEAL_DIGEST);
	}
	if (rc < 0)
		return rc;
	if (c->seal.what[0])
		bad_line(c, c->seal.lines + 1, SF_SEAL_FAULT_LINE, c->seal.what);
	else if (c->seal.torn && c->out->ended)
		bad_line(c, c->seal.lines + 1, SF_SEAL_FAULT_LINE, "it follows the end");
	c->out->torn = c->seal.torn;
	return 0;
}

static void check_rest(struct check *c, const uint8_t sha256[SF_SEAL_DIGEST], uint64_t rest)
{
	struct sf_seal_report *r = c->out;
	struct sf_seal_fault f = {
	    .kind = SF_SEAL_FAULT_BEHIND, .line = r->lines, .at = r->sealed, .size = rest};

	if (!r->ended || r->faults)
		return;
	if (rest) {
		snprintf(f.what, sizeof(f.what), "they were not there when it was sealed");
		note_fault(c, &f);
	} else if (memcmp(r->sha256, sha256, SF_SEAL_DIGEST) != 0) {
		bad_this_line(c, "it does not agree with the frames before it");
	}
}

static int check_all(struct check *c, struct error *err)
{
	uint8_t sha256[SF_SEAL_DIGEST] = {0};
	struct sf_seal_report *r = c->out;
	uint64_t rest;
	int rc = load_key(c, err);

	if (rc >= 0)
		rc = sf_hash_new(&c->whole, err);
	if (rc >= 0)
		rc = check_lines(c, sha256, err);
	if (rc >= 0)
		rc = take_bytes(c, UINT64_MAX, NULL, &rest, err);
	if (rc >= 0 && !sf_hash_end(c->whole, r->sha256))
		rc = error_nomem(err);
	if (rc < 0)
		return rc;
	check_rest(c, sha256, rest);
	if (!r->faults)
		r->verdict = r->ended ? SF_SEAL_INTACT : SF_SEAL_PREFIX;
	return 0;
}

static void check_done(struct check *c)
{
	OPENSSL_cleanse(c->key, SF_SEAL_DIGEST);
	sf_seal_reader_done(&c->seal);
	sf_input_done(&c->capture);
	sf_hash_free(c->whole);
}

/* ---- entrances ---- */

static const struct sf_seal_check_options defaults;

/* Whoever shows it finds no text where there is none. */
static void begin_report(struct sf_seal_report *r)
{
	static const char *const none[] = {NULL};
	static const struct sf_seal_facts facts = {.capture = "",
						   .container = "",
						   .tool = "",
						   .host = "",
						   .boot_id = "",
						   .kernel = "",
						   .machine = "",
						   .zone = "",
						   .config = "",
						   .previous = "",
						   .argv = none};
	static const struct sf_seal_lineage lineage = {
	    .operation = "", .tool = "", .reason = "", .json = "", .argv = none};

	*r = (struct sf_seal_report){.facts = facts, .lineage = lineage};
}

int sf_seal_check(const char *path, const struct sf_seal_check_options *opt,
		  struct sf_seal_report *out, struct error *err)
{
	struct check c = {.opt = opt ? opt : &defaults, .out = out};
	char *name = sf_seal_name(path);
	int rc;

	begin_report(out);
	c.capture.fd = c.seal.in.fd = -1;
	if (!name)
		return error_nomem(err);
	rc = sf_input_open(&c.capture, path, false, err);
	if (rc >= 0)
		rc = sf_seal_reader_open(&c.seal, name, err);
	if (rc > 0)
		rc = check_all(&c, err);
	check_done(&c);
	free(name);
	return rc;
}

int sf_seal_check_memory(struct sv capture, struct sv seal, const struct sf_seal_check_options *opt,
			 struct sf_seal_report *out, struct error *err)
{
	struct check c = {.opt = opt ? opt : &defaults, .out = out};
	int rc;

	begin_report(out);
	sf_seal_input_of(&c.capture, capture, "capture");
	sf_seal_input_of(&c.seal.in, seal, "seal");
	rc = check_all(&c, err);
	check_done(&c);
	return rc;
}

void sf_seal_report_done(struct sf_seal_report *r)
{
	arena_done(&r->arena);
}
