/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/seal_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "archive/archive.h"

#define HEX	  (2u * SF_SEAL_DIGEST)
#define HASH_TAIL (sizeof(",\"hash\":\"\"}") - 1 + HEX)
#define TAG_PART  (sizeof(",\"tag\":\"\"") - 1 + HEX)
#define WHAT	  160

static const char *const kinds[] = {
    [SF_SEAL_HEAD] = "head",   [SF_SEAL_FRAME] = "frame", [SF_SEAL_TABLE] = "table",
    [SF_SEAL_CLOCK] = "clock", [SF_SEAL_END] = "end",
};

/* ---- members ---- */

static const cJSON *member(const cJSON *o, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(o, name);
}

bool sf_seal_signed(const cJSON *o, const char *name, int64_t *out)
{
	const cJSON *m = member(o, name);
	const double max = (double)SF_SEAL_NUMBER_MAX;

	if (!cJSON_IsNumber(m) || !(m->valuedouble >= -max && m->valuedouble <= max))
		return false;
	*out = (int64_t)m->valuedouble;
	return (double)*out == m->valuedouble;
}

bool sf_seal_number(const cJSON *o, const char *name, uint64_t *out)
{
	int64_t v;

	if (!sf_seal_signed(o, name, &v) || v < 0)
		return false;
	*out = (uint64_t)v;
	return true;
}

/* Decimal digits, at least one and at most 10, at *p. */
static bool take_digits(const char **p, unsigned max, uint64_t *out)
{
	unsigned n = 0;

	for (*out = 0; n < max && **p >= '0' && **p <= '9'; n++)
		*out = *out * 10 + (uint64_t)(*(*p)++ - '0');
	return n > 0;
}

bool sf_seal_time(const cJSON *o, const char *name, uint64_t *out)
{
	const char *p = sf_seal_text(o, name), *point;
	uint64_t seconds, ns;

	if (!take_digits(&p, 10, &seconds) || *p++ != '.')
		return false;
	point = p;
	if (!take_digits(&p, 9, &ns) || p - point != 9 || *p)
		return false;
	*out = seconds * 1000000000u + ns;
	return true;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sf_seal_unhex(struct sv text, uint8_t out[SF_SEAL_DIGEST])
{
	if (text.n != HEX)
		return false;
	for (unsigned i = 0; i < SF_SEAL_DIGEST; i++) {
		int high = nibble(text.p[2 * i]), low = nibble(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

const char *sf_seal_text(const cJSON *o, const char *name)
{
	const char *text = cJSON_GetStringValue(member(o, name));

	return text ? text : "";
}

bool sf_seal_digest(const cJSON *o, const char *name, uint8_t out[SF_SEAL_DIGEST])
{
	return sf_seal_unhex(sv_of(sf_seal_text(o, name)), out);
}

unsigned sf_seal_choice(const cJSON *o, const char *name, const char *const *names, unsigned n)
{
	const char *text = sf_seal_text(o, name);
	unsigned i = 0;

	while (i < n && strcmp(text, names[i]) != 0)
		i++;
	return i;
}

/* ---- one line ---- */

/* Take `,"NAME":"HEX"` off the end of @text. */
static bool take_digest(struct sv *text, const char *name, uint8_t out[SF_SEAL_DIGEST])
{
	char lead[16];
	size_t n = (size_t)snprintf(lead, sizeof(lead), ",\"%s\":\"", name), all = n + HEX + 1;
	struct sv tail;

	if (text->n < all)
		return false;
	tail = sv_drop(*text, text->n - all);
	if (!sv_starts(tail, sv_of(lead)) || tail.p[all - 1] != '"' ||
	    !sf_seal_unhex(sv_make(tail.p + n, HEX), out))
		return false;
	text->n -= all;
	return true;
}

/* Readers differ in which of two members of one name they take. */
static bool names_are_unique(const cJSON *o)
{
	const char *seen[SF_SEAL_MEMBERS_MAX];
	unsigned n = 0;

	for (const cJSON *m = o->child; m; m = m->next) {
		if (n == SF_SEAL_MEMBERS_MAX)
			return false;
		for (unsigned i = 0; i < n; i++)
			if (strcmp(seen[i], m->string) == 0)
				return false;
		seen[n++] = m->string;
	}
	return true;
}

static cJSON *parse_object(struct sv text)
{
	const char *end;
	cJSON *json = cJSON_ParseWithLengthOpts(text.p, text.n, &end, 0);

	if (cJSON_IsObject(json) && end == text.p + text.n && names_are_unique(json))
		return json;
	cJSON_Delete(json);
	return NULL;
}

int sf_seal_parse(struct sv text, struct sf_seal_line *out, struct sv *covered,
		  uint8_t hash[SF_SEAL_DIGEST], char what[160])
{
	*out = (struct sf_seal_line){0};
	*covered = text;
	if (!text.n || text.p[text.n - 1] != '}') {
		snprintf(what, WHAT, "it is no object of JSON");
		return -1;
	}
	covered->n--;
	out->tagged = take_digest(covered, "tag", out->tag);
	if (!take_digest(covered, "hash", hash)) {
		snprintf(what, WHAT, "it does not end with its hash");
		return -1;
	}
	out->json = parse_object(text);
	if (!out->json) {
		snprintf(what, WHAT, "it is no object of JSON with members of different names");
		return -1;
	}
	out->kind = (enum sf_seal_kind)sf_seal_choice(out->json, "kind", kinds, COUNT_OF(kinds));
	if (sf_seal_number(out->json, "n", &out->n))
		return 0;
	snprintf(what, WHAT, "it has no number");
	return -1;
}

void sf_seal_line_done(struct sf_seal_line *l)
{
	cJSON_Delete(l->json);
	*l = (struct sf_seal_line){0};
}

/* ---- all lines ---- */

/* Up to the next line end, which is taken away. Return: 1; 0 at the end; -1: the line is too long;
 * ERR_*. */
static int read_text(struct sf_seal_reader *r, struct error *err)
{
	int rc;

	buf_reset(&r->text);
	while ((rc = sf_input_fill(&r->in, err)) > 0) {
		size_t n = (size_t)(r->in.end - r->in.at);
		const uint8_t *end = memchr(r->in.at, '\n', n);

		if (end)
			n = (size_t)(end - r->in.at);
		if (n > SF_SEAL_LINE_MAX - r->text.len) {
			snprintf(r->what, WHAT, "it has more than %u bytes", SF_SEAL_LINE_MAX);
			return 0;
		}
		buf_add(&r->text, r->in.at, n);
		r->in.at += n + (end != NULL);
		if (r->text.failed)
			return error_nomem(err);
		if (end)
			return 1;
	}
	r->torn = rc == 0 && r->text.len;
	return rc;
}

static int check_line(struct sf_seal_reader *r, struct error *err)
{
	uint8_t stated[SF_SEAL_DIGEST];
	struct sv covered;

	if (sf_seal_parse(buf_view(&r->text), &r->line, &covered, stated, r->what) < 0)
		return 0;
	if (!sf_seal_chain(r->hash, covered))
		return error_nomem(err);
	if (memcmp(stated, r->hash, SF_SEAL_DIGEST) != 0)
		snprintf(r->what, WHAT, "its hash is not that of the lines up to it");
	else if (r->line.n != r->lines)
		snprintf(r->what, WHAT, "its number is %llu, expected %llu",
			 (unsigned long long)r->line.n, (unsigned long long)r->lines);
	else if ((r->line.kind == SF_SEAL_HEAD) != (r->lines == 0))
		snprintf(r->what, WHAT, "the head comes first, and once");
	else
		return 1;
	return 0;
}

int sf_seal_reader_next(struct sf_seal_reader *r, struct error *err)
{
	int rc;

	sf_seal_line_done(&r->line);
	rc = read_text(r, err);
	if (rc > 0)
		rc = check_line(r, err);
	r->lines += rc > 0;
	return rc;
}

int sf_seal_reader_open(struct sf_seal_reader *r, const char *name, struct error *err)
{
	struct error why = {0};
	enum arc_kind kind;
	uint64_t size;
	int rc = arc_look(name, &kind, &size, &why);

	if (rc < 0 && why.sys == ENOENT)
		return 0;
	if (rc == 0 && kind != ARC_FILE)
		rc = error_set(&why, ERR_IO, "'%s' is no regular file", name);
	if (rc < 0 && err)
		*err = why;
	if (rc < 0)
		return rc;
	return sf_input_open(&r->in, name, false, err) < 0 ? ERR_IO : 1;
}

void sf_seal_input_of(struct sf_input *in, struct sv bytes, const char *name)
{
	const uint8_t *p = (const uint8_t *)bytes.p;

	*in = (struct sf_input){.fd = -1, .at_end = true, .at = p, .name = name};
	in->end = bytes.n ? p + bytes.n : p;
}

void sf_seal_reader_done(struct sf_seal_reader *r)
{
	sf_seal_line_done(&r->line);
	buf_done(&r->text);
	sf_input_done(&r->in);
}
