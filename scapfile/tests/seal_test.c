/* SPDX-License-Identifier: Apache-2.0 */
/* Seals: what they say of a capture, and that no change of either stays unseen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "scapfile/sealing.h"
#include "scapfile/stream.h"
#include "scapfile/tests/place.h"

#define EVENTS	    95
#define FRAME_BYTES (28 + 56 * 10) /* a section header and ten events */
#define FRAMES	    9		   /* eleven events in all but the first and the last */

static char *const command[] = {(char *)"record", (char *)"-o", (char *)"a \"b\"\n", NULL};
static const struct sf_seal_options plain_seal = {
    .origin = SF_SEAL_WRITING,
    .tool = "test 1",
    .argc = 3,
    .argv = command,
};

/* A capture and its seal, in memory. */
struct pair {
	struct buf capture, seal;
};

static void pair_read(struct pair *p, const char *path)
{
	char name[256];

	snprintf(name, sizeof(name), "%s.seal", path);
	slurp(&p->capture, path);
	slurp(&p->seal, name);
}

static void pair_done(struct pair *p)
{
	buf_done(&p->capture);
	buf_done(&p->seal);
}

static void write_sealed(const char *path, const struct sf_writer_options *more,
			 const struct sf_seal_options *seal)
{
	struct sf_writer_options opt = more ? *more : (struct sf_writer_options){0};
	struct sf_writer *w;

	opt.frame_bytes = FRAME_BYTES;
	opt.seal = seal;
	w = open_writer(path, &opt);
	add_stats(w, 1000, EVENTS);
	close_writer(w);
}

static void make_pair(struct pair *p, const char *path)
{
	write_sealed(path, NULL, &plain_seal);
	pair_read(p, path);
}

static void check_pair(const struct pair *p, struct sf_seal_report *r)
{
	struct error err = {0};

	if (sf_seal_check_memory(buf_view(&p->capture), buf_view(&p->seal), NULL, r, &err) < 0)
		fail_msg("%s", err.msg);
}

/* For tests that look at numbers only. */
static struct sf_seal_report checked(const struct pair *p)
{
	struct sf_seal_report r;

	check_pair(p, &r);
	sf_seal_report_done(&r);
	return r;
}

static void check_file(const char *path, const char *key, struct sf_seal_report *r)
{
	const struct sf_seal_check_options opt = {.key_path = key};
	struct error err = {0};

	if (sf_seal_check(path, &opt, r, &err) < 0)
		fail_msg("%s", err.msg);
	sf_seal_report_done(r);
}

/* ---- the seal's text, read by nobody's parser ---- */

/* Start of line @n, counted from 1; or the text's end. */
static size_t line_at(const struct buf *seal, uint64_t n)
{
	size_t at = 0;

	while (--n && at < seal->len)
		at = (size_t)((char *)memchr(seal->p + at, '\n', seal->len - at) - seal->p) + 1;
	return at;
}

static uint64_t line_of(const struct buf *seal, size_t at)
{
	uint64_t n = 1;

	for (size_t i = 0; i < at; i++)
		n += seal->p[i] == '\n';
	return n;
}

/* The number of lines, and where the bytes of each frame end; 0 ends @ends. */
static uint64_t frames_of(struct pair *p, uint64_t ends[FRAMES + 8])
{
	const char *text = buf_cstr(&p->seal);
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, ",\"at\":")); at++) {
		uint64_t from, size;

		assert_int_equal(sscanf(at, ",\"at\":%" SCNu64 ",\"size\":%" SCNu64, &from, &size),
				 2);
		ends[n++] = from + size;
		assert_in_range(n, 1, FRAMES + 7);
	}
	ends[n] = 0;
	return line_of(&p->seal, p->seal.len) - 1;
}

static uint64_t frame_of(const uint64_t *ends, uint64_t at)
{
	uint64_t n = 1;

	while (ends[n - 1] && ends[n - 1] <= at)
		n++;
	return n;
}

/* The time of the first event in @frame. */
static uint64_t first_of(uint64_t frame)
{
	return 1000 + (frame > 1 ? 10 + 11 * (frame - 2) : 0);
}

/* ---- what seals say ---- */

static void a_capture_that_was_not_touched_is_intact(void **state)
{
	for (size_t i = 0; i < 2 * COUNT_OF(suffix); i++) {
		const struct sf_writer_options opt = {.background = i & 1};
		const char *path = in_place(*state, i & 1 ? "a" : "b", suffix[i / 2]);
		struct sf_seal_report r;
		struct sf_seal_status s;

		write_sealed(path, &opt, &plain_seal);
		check_file(path, NULL, &r);
		assert_int_equal(r.verdict, SF_SEAL_INTACT);
		assert_int_equal(r.faults, 0);
		assert_int_equal(r.events, EVENTS);
		assert_int_equal(r.frames, FRAMES);
		assert_int_equal(r.matched, r.frames);
		assert_int_equal(r.proven, r.size);
		assert_true(r.ended && !r.rotated && !r.cut && !r.torn);
		assert_int_equal(r.tags, SF_SEAL_TAGS_NONE);
		assert_int_equal(sf_seal_status(path, &s, NULL), 0);
		assert_int_equal(s.verdict, SF_SEAL_INTACT);
		assert_int_equal(s.origin, SF_SEAL_WRITING);
		assert_int_equal(s.frames, r.frames);
		assert_int_equal(s.events, EVENTS);
		assert_memory_equal(s.sha256, r.sha256, SF_SEAL_DIGEST);
	}
}

static void a_seal_says_where_the_capture_comes_from(void **state)
{
	static const uint8_t hash[SF_SEAL_DIGEST] = {1, 2, 255};
	const struct sf_lineage_parent parents[] = {{"/x/y/parent.scap", 123, hash},
						    {"other\x1b", 5, NULL}};
	const struct sf_lineage lineage = {"slice", "because", parents, 2, ",\"x\":{\"y\":1}"};
	const struct sf_writer_options opt = {.seal = &plain_seal};
	const char *path = in_place(*state, "a", ".scap");
	struct sf_writer *w = open_writer(path, &opt);
	const struct sf_seal_lineage *l;
	struct sf_seal_report r;
	struct pair p = {0};

	add_stats(w, 1, 3);
	assert_int_equal(sf_writer_set_lineage(w, &lineage, NULL), 0);
	close_writer(w);
	pair_read(&p, path);
	check_pair(&p, &r);
	assert_int_equal(r.verdict, SF_SEAL_INTACT);
	assert_string_equal(r.facts.tool, "test 1");
	assert_string_equal(r.facts.capture, "a.scap");
	assert_string_equal(r.facts.container, "plain");
	assert_string_equal(r.facts.argv[2], command[2]);
	assert_null(r.facts.argv[3]);
	assert_true(r.facts.host[0] && r.facts.kernel[0]);
	l = &r.lineage;
	assert_string_equal(l->operation, "slice");
	assert_string_equal(l->reason, "because");
	assert_int_equal(l->nparents, 2);
	assert_string_equal(l->parents[0].name, "parent.scap");
	assert_int_equal(l->parents[0].size, 123);
	assert_memory_equal(l->parents[0].sha256, hash, SF_SEAL_DIGEST);
	assert_string_equal(l->parents[1].name, "other\x1b");
	assert_false(l->parents[1].hashed);
	assert_non_null(strstr(l->json, "\"x\":{\"y\":1}"));
	assert_null(strchr(l->json, '\x1b'));
	sf_seal_report_done(&r);
	pair_done(&p);
}

static void a_lineage_that_does_not_fit_a_line_is_refused(void **state)
{
	struct sf_lineage_parent parent = {.path = "p"};
	struct sf_lineage l = {.operation = "merge", .parents = &parent, .nparents = 1};
	const struct sf_writer_options opt = {.seal = &plain_seal};
	struct sf_writer *w = open_writer(in_place(*state, "a", ".scap"), &opt);
	char *text = malloc(SF_SEAL_LINE_MAX);

	assert_non_null(text);
	memset(text, 'x', SF_SEAL_LINE_MAX - 1);
	text[SF_SEAL_LINE_MAX - 1] = '\0';
	l.reason = text;
	assert_int_equal(sf_writer_set_lineage(w, &l, NULL), ERR_LIMIT);
	l.reason = "short";
	assert_int_equal(sf_writer_set_lineage(w, &l, NULL), 0);
	add_stats(w, 1, 3);
	close_writer(w);
	free(text);
}

/* ---- changes ---- */

static void each_altered_byte_of_a_capture_is_found_in_its_frame(void **state)
{
	for (size_t i = 0; i < COUNT_OF(suffix); i++) {
		uint64_t ends[FRAMES + 8];
		struct pair p = {0};

		make_pair(&p, in_place(*state, "a", suffix[i]));
		frames_of(&p, ends);
		for (size_t at = 0; at < p.capture.len; at += i ? 3 : 11) {
			uint64_t frame = frame_of(ends, at);
			struct sf_seal_report r;

			p.capture.p[at] ^= (char)(1 << at % 8);
			r = checked(&p);
			assert_int_equal(r.verdict, SF_SEAL_ALTERED);
			assert_int_equal(r.faults, 1);
			assert_int_equal(r.first.kind, SF_SEAL_FAULT_FRAME);
			assert_int_equal(r.first.frame, frame <= FRAMES ? frame : 0);
			assert_int_equal(r.first.at, frame > 1 ? ends[frame - 2] : 0);
			assert_int_equal(r.first.size, ends[frame - 1] - r.first.at);
			assert_int_equal(r.proven, r.first.at);
			assert_int_equal(r.first.has_time, frame <= FRAMES);
			if (frame <= FRAMES)
				assert_int_equal(r.first.from, first_of(frame));
			p.capture.p[at] ^= (char)(1 << at % 8);
		}
		assert_int_equal(checked(&p).verdict, SF_SEAL_INTACT);
		pair_done(&p);
	}
}

static void each_altered_byte_of_a_seal_is_found_in_its_line(void **state)
{
	struct pair p = {0};

	make_pair(&p, in_place(*state, "a", ".scap.zst"));
	for (size_t at = 0; at < p.seal.len - 1; at++) {
		struct sf_seal_report r;

		p.seal.p[at] ^= (char)(1 << at % 7);
		r = checked(&p);
		if (r.verdict != SF_SEAL_BROKEN || r.first.kind != SF_SEAL_FAULT_LINE ||
		    r.first.line != line_of(&p.seal, at))
			fail_msg("byte %zu: verdict %d, line %" PRIu64, at, (int)r.verdict,
				 r.first.line);
		p.seal.p[at] ^= (char)(1 << at % 7);
	}
	pair_done(&p);
}

static void a_capture_that_was_cut_lacks_the_first_frame_behind_the_cut(void **state)
{
	uint64_t ends[FRAMES + 8];
	struct pair p = {0};
	size_t whole;

	make_pair(&p, in_place(*state, "a", ".scap.zst"));
	frames_of(&p, ends);
	whole = p.capture.len;
	for (size_t n = 0; n < whole; n++) {
		uint64_t frame = frame_of(ends, n);
		struct sf_seal_report r;

		p.capture.len = n;
		r = checked(&p);
		assert_int_equal(r.verdict, SF_SEAL_ALTERED);
		assert_int_equal(r.first.kind, SF_SEAL_FAULT_CUT);
		assert_int_equal(r.first.frame, frame <= FRAMES ? frame : 0);
		assert_int_equal(r.proven, r.first.at);
		assert_in_range(n, r.first.at, r.first.at + r.first.size - 1);
	}
	p.capture.len = whole;
	pair_done(&p);
}

/* As if the recorder was killed: whatever is there of the seal vouches for its frames. */
static void a_seal_that_was_cut_proves_the_frames_before_the_cut(void **state)
{
	uint64_t ends[FRAMES + 8], lines;
	struct pair p = {0};
	size_t whole;

	make_pair(&p, in_place(*state, "a", ".scap"));
	lines = frames_of(&p, ends);
	whole = p.seal.len;
	for (size_t n = 0; n < whole; n++) {
		uint64_t complete = line_of(&p.seal, n) - 1;
		uint64_t frames = complete > 1 ? complete - 1 : 0;
		struct sf_seal_report r;

		p.seal.len = n;
		r = checked(&p);
		assert_int_equal(r.verdict, SF_SEAL_PREFIX);
		assert_int_equal(r.lines, complete);
		assert_int_equal(r.torn, n && p.seal.p[n - 1] != '\n');
		assert_int_equal(r.frames, frames);
		assert_int_equal(r.proven, frames ? ends[frames - 1] : 0);
		assert_int_equal(r.size, p.capture.len);
		assert_true(complete < lines);
	}
	p.seal.len = whole;
	pair_done(&p);
}

static void what_was_added_behind_the_end_is_found(void **state)
{
	struct pair p = {0};
	struct sf_seal_report r;
	size_t seal, capture;

	make_pair(&p, in_place(*state, "a", ".scap"));
	seal = p.seal.len;
	capture = p.capture.len;
	buf_lit(&p.capture, "x");
	r = checked(&p);
	assert_int_equal(r.first.kind, SF_SEAL_FAULT_BEHIND);
	assert_int_equal(r.first.at, capture);
	assert_int_equal(r.first.size, 1);
	p.capture.len = capture;
	buf_lit(&p.seal, "x");
	r = checked(&p);
	assert_int_equal(r.verdict, SF_SEAL_BROKEN);
	assert_int_equal(r.first.line, line_of(&p.seal, seal));
	/* A line of which only the place is wrong. */
	p.seal.len = seal;
	buf_add(&p.seal, p.seal.p + line_at(&p.seal, 2), 400);
	assert_int_equal(checked(&p).verdict, SF_SEAL_BROKEN);
	pair_done(&p);
}

static void lines_that_are_swapped_missing_or_there_twice_are_found(void **state)
{
	uint64_t ends[FRAMES + 8], lines;
	struct pair p = {0}, q = {0};

	make_pair(&p, in_place(*state, "a", ".scap.gz"));
	lines = frames_of(&p, ends);
	q.capture = p.capture;
	for (uint64_t n = 1; n <= lines; n++) {
		size_t at = line_at(&p.seal, n), next = line_at(&p.seal, n + 1);
		size_t behind = line_at(&p.seal, n + 2);

		for (int how = 0; how < 3; how++) {
			struct sf_seal_report r;

			buf_reset(&q.seal);
			buf_add(&q.seal, p.seal.p, at);
			if (how == 0) /* swapped with the next one */
				buf_add(&q.seal, p.seal.p + next, behind - next);
			if (how != 1) /* 1: missing */
				buf_add(&q.seal, p.seal.p + at, next - at);
			if (how == 2) /* twice */
				buf_add(&q.seal, p.seal.p + at, next - at);
			buf_add(&q.seal, p.seal.p + (how ? next : behind),
				p.seal.len - (how ? next : behind));
			r = checked(&q);
			if (n == lines && how == 0)
				assert_int_equal(r.verdict, SF_SEAL_INTACT);
			else if (n == lines && how == 1)
				assert_int_equal(r.verdict, SF_SEAL_PREFIX);
			else
				assert_int_equal(r.first.line, how == 2 ? n + 1 : n);
		}
	}
	buf_done(&q.seal);
	pair_done(&p);
}

static void frames_that_are_swapped_are_found(void **state)
{
	uint64_t ends[FRAMES + 8];
	struct pair p = {0};
	struct sf_seal_report r;
	char frame[56 * 11];

	make_pair(&p, in_place(*state, "a", ".scap"));
	frames_of(&p, ends);
	memcpy(frame, p.capture.p + ends[2], sizeof(frame));
	memmove(p.capture.p + ends[2], p.capture.p + ends[3], sizeof(frame));
	memcpy(p.capture.p + ends[3], frame, sizeof(frame));
	r = checked(&p);
	assert_int_equal(r.first.frame, 4);
	assert_int_equal(r.faults, 2);
	assert_int_equal(r.matched, FRAMES - 2);
	assert_int_equal(r.events, EVENTS - 22);
	pair_done(&p);
}

/* ---- the frames alone ---- */

static void expect_frames(const struct sf_seal_frames *got, const struct sf_seal_frames *want)
{
	assert_true(got->n <= want->n);
	if (got->n)
		assert_memory_equal(got->list, want->list, got->n * sizeof(*got->list));
}

static void the_frames_of_a_seal_are_those_that_were_written(void **state)
{
	const char *path = in_place(*state, "frames", suffix[SF_PLAIN]);
	struct sf_seal_frames f, of_memory;
	struct pair p = {0};
	struct error err = {0};
	uint64_t at = 0, events = 0;

	make_pair(&p, path);
	assert_int_equal(sf_seal_frames(path, &f, &err), 1);
	assert_int_equal(f.n, FRAMES);
	assert_true(f.ended && f.at_blocks && !f.broken);
	assert_int_equal(f.size, p.capture.len);
	for (size_t i = 0; i < f.n; i++) {
		uint8_t digest[SF_SEAL_DIGEST];

		assert_int_equal(f.list[i].at, at);
		assert_true(sf_hash_once(p.capture.p + at, f.list[i].size, digest));
		assert_memory_equal(digest, f.list[i].sha256, sizeof(digest));
		assert_true(f.list[i].from && f.list[i].from <= f.list[i].to);
		at += f.list[i].size;
		events += f.list[i].events;
	}
	assert_int_equal(at, p.capture.len);
	assert_int_equal(events, EVENTS);
	assert_int_equal(sf_seal_frames_memory(buf_view(&p.seal), &of_memory, &err), 1);
	assert_int_equal(of_memory.n, f.n);
	expect_frames(&of_memory, &f);
	sf_seal_frames_done(&of_memory);
	sf_seal_frames_done(&f);
	assert_int_equal(sf_seal_frames(in_place(*state, "none", suffix[SF_PLAIN]), &f, &err), 0);
	assert_int_equal(f.n, 0);
	pair_done(&p);
}

static void no_frame_is_taken_from_behind_a_change_of_the_seal(void **state)
{
	struct pair p = {0};
	struct sf_seal_frames f, whole;
	struct error err;

	make_pair(&p, in_place(*state, "changed", suffix[SF_PLAIN]));
	assert_int_equal(sf_seal_frames_memory(buf_view(&p.seal), &whole, &err), 1);
	for (size_t i = 0; i < p.seal.len; i++) {
		size_t lines = 0;
		int rc;

		for (size_t k = 0; k < i; k++)
			lines += p.seal.p[k] == '\n';
		p.seal.p[i] ^= 1;
		rc = sf_seal_frames_memory(buf_view(&p.seal), &f, &err);
		p.seal.p[i] ^= 1;
		assert_true(rc == 1 || rc == ERR_UNSUPPORTED);
		assert_true(!f.ended && f.n <= lines);
		if (rc == 1 && i + 1 < p.seal.len) { /* else the end is torn */
			assert_int_equal(f.broken, lines + 1);
			assert_true(f.what[0]);
		}
		expect_frames(&f, &whole);
		sf_seal_frames_done(&f);
	}
	for (size_t n = 0; n < p.seal.len; n++) {
		assert_int_equal(sf_seal_frames_memory(sv_make(p.seal.p, n), &f, &err), 1);
		assert_false(f.ended);
		expect_frames(&f, &whole);
		sf_seal_frames_done(&f);
	}
	sf_seal_frames_done(&whole);
	pair_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(the_frames_of_a_seal_are_those_that_were_written),
	    in_a_place(no_frame_is_taken_from_behind_a_change_of_the_seal),
	    in_a_place(a_capture_that_was_not_touched_is_intact),
	    in_a_place(a_seal_says_where_the_capture_comes_from),
	    in_a_place(a_lineage_that_does_not_fit_a_line_is_refused),
	    in_a_place(each_altered_byte_of_a_capture_is_found_in_its_frame),
	    in_a_place(each_altered_byte_of_a_seal_is_found_in_its_line),
	    in_a_place(a_capture_that_was_cut_lacks_the_first_frame_behind_the_cut),
	    in_a_place(a_seal_that_was_cut_proves_the_frames_before_the_cut),
	    in_a_place(what_was_added_behind_the_end_is_found),
	    in_a_place(lines_that_are_swapped_missing_or_there_twice_are_found),
	    in_a_place(frames_that_are_swapped_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
