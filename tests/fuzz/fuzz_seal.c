/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capture and a seal that anybody may have written. The first byte says what follows: 0: how many
 * bytes are the capture's (two bytes), these, and the seal; 1: likewise, but its lines lack their
 * hashes, which are put in here, since no mutation would ever find them; 2, 3: the bytes of a zstd
 * or gzip file, whose frames are looked for. Reports agree with themselves, a byte that is changed
 * in what is proven is found, and frames end at the same places however the bytes come.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "scapfile/frames.h"
#include "scapfile/sealing.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- seals ---- */

static void check_report(const struct sf_seal_report *r, struct sv capture)
{
	bool good = r->verdict == SF_SEAL_INTACT || r->verdict == SF_SEAL_PREFIX;
	uint8_t digest[SF_SEAL_DIGEST];

	CHECK(r->verdict != SF_SEAL_NONE && good == !r->faults);
	CHECK(r->size == capture.n && r->proven <= r->size && r->proven <= r->sealed);
	CHECK(r->matched <= r->frames && r->frames <= r->lines);
	CHECK(good == (r->first.kind == SF_SEAL_FAULT_NONE));
	if (!good)
		CHECK(r->first.what[0] && r->first.line);
	if (good)
		CHECK(r->matched == r->frames && r->proven == r->sealed);
	if (r->verdict == SF_SEAL_INTACT)
		CHECK(r->ended && r->proven == capture.n);
	CHECK(EVP_Digest(capture.p, capture.n, digest, NULL, EVP_sha256(), NULL) == 1);
	CHECK(memcmp(digest, r->sha256, SF_SEAL_DIGEST) == 0);
}

/* One byte of what was proven is another one: its frame is the first that differs. */
static void check_change(const struct sf_seal_report *was, struct sv capture, struct sv seal)
{
	size_t at = was->proven ? seal.n % was->proven : 0;
	struct sf_seal_report r;
	char *changed;

	if (!was->proven)
		return;
	changed = malloc(capture.n);
	CHECK(changed);
	memcpy(changed, capture.p, capture.n);
	changed[at] ^= 1;
	CHECK(sf_seal_check_memory(sv_make(changed, capture.n), seal, NULL, &r, NULL) == 0);
	CHECK(r.verdict == SF_SEAL_ALTERED && r.first.kind == SF_SEAL_FAULT_FRAME);
	CHECK(r.first.at <= at && at - r.first.at < r.first.size);
	CHECK(r.proven <= at);
	sf_seal_report_done(&r);
	free(changed);
}

/* The frames alone agree with what the check takes for the seal's. */
static void check_frames(const struct sf_seal_report *r, struct sv capture, struct sv seal)
{
	struct sf_seal_frames f;
	uint64_t end = 0;

	CHECK(sf_seal_frames_memory(seal, &f, NULL) == 1);
	for (size_t i = 0; i < f.n; i++) {
		CHECK(f.list[i].at == end);
		end += f.list[i].size;
	}
	CHECK(end == f.size && (!f.broken || f.what[0]));
	CHECK(r->faults || (r->sealed == f.size && r->ended == f.ended));
	CHECK(r->verdict != SF_SEAL_INTACT || f.size == capture.n);
	sf_seal_frames_done(&f);
}

static void check_seal(struct sv capture, struct sv seal)
{
	struct sf_seal_report r;

	if (sf_seal_check_memory(capture, seal, NULL, &r, NULL) == 0) {
		check_report(&r, capture);
		check_frames(&r, capture, seal);
		if (!r.faults)
			check_change(&r, capture, seal);
	}
	sf_seal_report_done(&r);
}

/* The lines of @text with the hashes that they lack. */
static void chain(struct buf *out, struct sv text)
{
	uint8_t hash[SF_SEAL_DIGEST] = {0};

	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		struct sv line = sv_make(text.p, end ? (size_t)(end - text.p) : text.n);

		CHECK(sf_seal_chain(hash, line));
		buf_sv(out, line);
		sf_seal_add_digest(out, "hash", hash);
		buf_lit(out, "}\n");
		text = sv_drop(text, line.n + 1);
	}
}

static void try_seal(struct sv input, bool lacks_hashes)
{
	struct buf chained = {0};
	size_t n = input.n < 2 ? 0 : load_u16(input.p);
	struct sv rest = sv_drop(input, 2), capture;

	if (n > rest.n)
		n = rest.n;
	capture = sv_make(rest.p, n);
	rest = sv_drop(rest, n);
	if (lacks_hashes) {
		chain(&chained, rest);
		rest = buf_view(&chained);
	}
	check_seal(capture, rest);
	buf_done(&chained);
}

/* ---- frames ---- */

/* A sum over the places where frames end, and what is between. */
static uint64_t ends_of(struct sv input, enum sf_compression c, size_t step_max)
{
	const uint8_t *p = (const uint8_t *)input.p;
	uint64_t sum = 0;
	struct sf_frames f;
	size_t at = 0;

	CHECK(sf_frames_init(&f, c, NULL) == 0);
	while (at < input.n) {
		size_t n = input.n - at < step_max ? input.n - at : step_max;
		struct sf_frames_step step;

		CHECK(sf_frames_step(&f, p + at, n, &step, NULL) == 0);
		CHECK(step.used && step.used <= n);
		at += step.used;
		if (step.ended)
			sum = sum * 31 + at * 2 + step.skippable + 5 * sf_frames_made(&f, true);
		else
			CHECK(step.used == n);
	}
	sf_frames_done(&f);
	return sum;
}

static void try_frames(struct sv input, enum sf_compression c)
{
	uint64_t whole = ends_of(input, c, SIZE_MAX);

	CHECK(ends_of(input, c, 1) == whole);
	CHECK(ends_of(input, c, 7) == whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv input = sv_drop(sv_make(data, size), 1);

	if (!size)
		return 0;
	switch (data[0] & 3) {
	case 0:
		try_seal(input, false);
		break;
	case 1:
		try_seal(input, true);
		break;
	case 2:
		try_frames(input, SF_ZSTD);
		break;
	default:
		try_frames(input, SF_GZIP);
	}
	return 0;
}
