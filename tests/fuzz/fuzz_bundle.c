/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle that anybody may have made. Byte 0 says what follows: 0: an archive; 1: texts, divided
 * by lines "==NAME", that become the members of a tar, whose manifest is made to fit if it is not
 * among them; 2: a custody log. A bundle that is called intact has all it lists, and is not intact
 * any more when a byte of its data is another one; a log of which the lines are in order loses that
 * with a line.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bundle/bundle.h"
#include "bundle/custody.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)
#define MEMBERS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_report(const struct bag_report *r)
{
	bool bad = false, missing = false;

	for (uint64_t i = 0; i < r->nfaults && i < BAG_FAULTS_MAX; i++) {
		bad = bad || r->faults[i].kind != BAG_MISSING;
		missing = missing || r->faults[i].kind == BAG_MISSING;
		CHECK(r->faults[i].name && r->faults[i].what[0]);
	}
	if (r->nfaults <= BAG_FAULTS_MAX)
		CHECK(r->verdict == (bad ? BAG_BAD : missing ? BAG_INCOMPLETE : BAG_INTACT));
	CHECK(r->good <= r->files);
	if (r->verdict != BAG_INTACT)
		return;
	CHECK(r->good == r->files && r->has_root && !r->cut);
	for (size_t i = 0; i < r->count; i++) {
		const struct bag_file *f = &r->list[i];

		CHECK(f->seen && f->whole);
		CHECK(strcmp(f->name, BAG_TAGS) == 0 || f->is_listed);
	}
}

/* Return: its verdict, or BAG_BAD if it cannot be read. */
static enum bag_verdict check_bundle(const void *p, size_t n)
{
	enum bag_verdict v = BAG_BAD;
	struct bag_report r;

	if (bag_check_memory(p, n, &r, NULL) == 0) {
		check_report(&r);
		v = r.verdict;
	}
	bag_report_done(&r);
	return v;
}

/* ---- members of texts ---- */

static struct sv next_part(struct sv *rest, struct sv *name)
{
	const char *end;
	struct sv body;

	*rest = sv_drop(*rest, 2);
	end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	*name = sv_make(rest->p, end ? (size_t)(end - rest->p) : rest->n);
	*rest = sv_drop(*rest, name->n + 1);
	end = rest->n ? memmem(rest->p, rest->n, "\n==", 3) : NULL;
	body = sv_make(rest->p, end ? (size_t)(end + 1 - rest->p) : rest->n);
	*rest = sv_drop(*rest, body.n);
	return body;
}

static size_t make_tar(struct bag_maker *m, int fd, uint8_t **tar)
{
	struct bag_made made;
	off_t n;

	if (bag_maker_write(m, fd, ARC_TAR, &made, NULL) < 0)
		return 0;
	n = lseek(fd, 0, SEEK_END);
	*tar = n > 0 ? malloc((size_t)n) : NULL;
	CHECK(*tar && pread(fd, *tar, (size_t)n, 0) == n);
	return (size_t)n;
}

static void try_texts(struct sv input)
{
	static const struct bag_making how = {.tool = "fuzz", .made = -1};
	int fd = memfd_create("bundle", MFD_CLOEXEC);
	struct bag_maker *m;
	uint8_t *tar = NULL;
	struct sv name;
	size_t n, payload = 0;

	CHECK(fd >= 0 && bag_maker_new(&how, &m, NULL) == 0);
	for (unsigned i = 0; input.n && i < MEMBERS_MAX; i++) {
		struct sv body = next_part(&input, &name);
		char *own = strndup(name.p ? name.p : "", name.n);

		if (own && bag_maker_text(m, own, body, NULL) == 0 &&
		    strncmp(own, "data/", 5) == 0 && body.n)
			payload++;
		free(own);
	}
	n = make_tar(m, fd, &tar);
	if (n) {
		CHECK(check_bundle(tar, n) == BAG_INTACT);
		if (payload) { /* data comes last, in front of the zeros that end a tar */
			size_t at = n;

			while (!tar[at - 1])
				at--;
			tar[at - 1] ^= 1;
			CHECK(check_bundle(tar, n) != BAG_INTACT || !tar[at - 1]);
		}
	}
	free(tar);
	bag_maker_free(m);
	close(fd);
}

static void try_log(struct sv log)
{
	struct custody_report r, less;
	const char *second = log.n ? memchr(log.p, '\n', log.n) : NULL;

	if (custody_check_memory(log, &r, NULL) < 0)
		return;
	CHECK(!(r.broken && r.torn) && (r.broken || r.torn) == (r.what[0] != '\0'));
	if (r.broken || r.lines < 2 || !second)
		return;
	log = sv_drop(log, (size_t)(second + 1 - log.p));
	CHECK(custody_check_memory(log, &less, NULL) == 0 && less.broken && !less.lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv input = sv_drop(sv_make(data, size), 1);

	if (!size)
		return 0;
	if (data[0] % 3 == 1)
		try_texts(input);
	else if (data[0] % 3 == 2)
		try_log(input);
	else
		check_bundle(input.p, input.n);
	return 0;
}
