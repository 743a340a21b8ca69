/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and checking the custody log. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/custody.h"
#include "bundle/internal.h"

#define NUMBER_MAX 9007199254740992.0 /* 2^53: beyond, a double skips integers */

struct reading {
	int (*each)(void *arg, const struct custody_line *l);
	void *arg;
	struct custody_report *out;
	struct buf scratch;
};

static void broken(struct reading *r, const char *what)
{
	r->out->broken = true;
	snprintf(r->out->what, sizeof(r->out->what), "line %" PRIu64 ": %s", r->out->lines + 1,
		 what);
}

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return text ? text : "";
}

static uint64_t number_of(const cJSON *object, const char *name)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble < NUMBER_MAX
		   ? (uint64_t)v->valuedouble
		   : UINT64_MAX;
}

static const char *line_trouble(const struct reading *r, const cJSON *json)
{
	uint8_t prev[CUSTODY_DIGEST];

	if (!cJSON_IsObject(json))
		return "it is no JSON object";
	if (number_of(json, "custody") != 1)
		return "it is no entry of a custody log of version 1";
	if (number_of(json, "n") != r->out->lines)
		return "it is not in its place: its number is another one";
	if (!bag_parse_hex(sv_of(text_of(json, "prev")), prev))
		return "it has no hash of the line before";
	if (memcmp(prev, r->out->last_hash, sizeof(prev)) != 0)
		return r->out->lines ? "the line before it is not what it was"
				     : "the first line says that there was one before it";
	return NULL;
}

static void take_file(const cJSON *json, struct custody_file *out)
{
	uint64_t size = number_of(json, "size");

	*out = (struct custody_file){.name = text_of(json, "name"),
				     .size = size == UINT64_MAX ? 0 : size};
	out->hashed = bag_parse_hex(sv_of(text_of(json, "sha256")), out->sha256);
}

/* @left_out: the member that counts those that are not in the line. */
static void take_files(const cJSON *json, const char *name, const char *left_out,
		       struct custody_file *list, struct custody_files *out)
{
	uint64_t more = number_of(json, left_out);
	const cJSON *file;

	*out = (struct custody_files){.list = list, .left_out = more == UINT64_MAX ? 0 : more};
	cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(json, name))
	{
		if (out->count < CUSTODY_FILES_MAX)
			take_file(file, &list[out->count++]);
		else
			out->left_out++;
	}
}

static int show(struct reading *r, const cJSON *json, struct sv text)
{
	struct custody_file files[2][CUSTODY_FILES_MAX];
	const cJSON *actor = cJSON_GetObjectItemCaseSensitive(json, "actor");
	struct custody_line l = {
	    .n = r->out->lines,
	    .text = text,
	    .ts = text_of(json, "ts"),
	    .login = text_of(actor, "login"),
	    .name = text_of(actor, "name"),
	    .uid = number_of(actor, "uid"),
	    .host = text_of(json, "host"),
	    .action = text_of(json, "action"),
	    .tool = text_of(json, "tool"),
	    .reason = text_of(json, "reason"),
	};

	memcpy(l.hash, r->out->last_hash, sizeof(l.hash));
	take_files(json, "inputs", "inputs_left_out", files[0], &l.inputs);
	take_files(json, "outputs", "outputs_left_out", files[1], &l.outputs);
	return r->each(r->arg, &l);
}

/* @line with its newline. Return: 0 or ERR_*. */
static int take_line(struct reading *r, struct sv line)
{
	struct sv text = sv_make(line.p, line.n - 1);
	const char *end = NULL;
	cJSON *json = cJSON_ParseWithLengthOpts(text.p, text.n, &end, 0);
	const char *trouble = line_trouble(r, json);
	int rc = 0;

	if (!trouble && end != text.p + text.n)
		trouble = "something follows its object";
	if (trouble) {
		broken(r, trouble);
	} else {
		if (!sf_hash_once(line.p, line.n, r->out->last_hash))
			rc = ERR_NOMEM;
		else if (r->each)
			rc = show(r, json, text);
		r->out->lines++;
	}
	cJSON_Delete(json);
	return rc;
}

/* Whole lines at the start of @have. Return: bytes used, or ERR_*. */
static int64_t take_lines(struct reading *r, struct sv have)
{
	size_t used = 0;
	const char *end;

	while (!r->out->broken && have.n > used &&
	       (end = memchr(have.p + used, '\n', have.n - used))) {
		size_t n = (size_t)(end - have.p) + 1 - used;
		int rc;

		if (n > CUSTODY_LINE_MAX) {
			broken(r, "it has more than 64 KiB (CUSTODY_LINE_MAX)");
			break;
		}
		rc = take_line(r, sv_make(have.p + used, n));
		if (rc < 0)
			return rc;
		used += n;
	}
	if (!r->out->broken && have.n - used > CUSTODY_LINE_MAX)
		broken(r, "it has more than 64 KiB (CUSTODY_LINE_MAX)");
	return (int64_t)used;
}

static void at_end(struct reading *r, size_t left)
{
	if (r->out->broken || !left)
		return;
	r->out->torn = true;
	snprintf(r->out->what, sizeof(r->out->what), "its last line, %" PRIu64 ", has no end",
		 r->out->lines + 1);
}

int custody_check_memory(struct sv log, struct custody_report *out, struct error *err)
{
	struct reading r = {.out = out};
	int64_t used;

	*out = (struct custody_report){0};
	used = take_lines(&r, log);
	if (used < 0)
		return error_nomem(err);
	at_end(&r, log.n - (size_t)used);
	return 0;
}

static int read_log(struct reading *r, struct arc_file *f, struct error *err)
{
	struct buf b = {0};
	int64_t n = 1, used = 0;

	while (n > 0 && used >= 0 && !r->out->broken) {
		char *room = buf_room(&b, CUSTODY_LINE_MAX);

		n = room ? arc_read(f, room, CUSTODY_LINE_MAX, err) : error_nomem(err);
		if (n <= 0)
			break;
		b.len += (size_t)n;
		used = take_lines(r, buf_view(&b));
		if (used > 0) {
			b.len -= (size_t)used;
			memmove(b.p, b.p + used, b.len);
		}
	}
	if (n == 0 && used >= 0)
		at_end(r, b.len);
	buf_done(&b);
	if (used < 0)
		return error_set(err, (int)used, "%s", error_code_text((int)used));
	return n < 0 ? (int)n : 0;
}

int custody_check(const char *path, int (*each)(void *arg, const struct custody_line *l), void *arg,
		  struct custody_report *out, struct error *err)
{
	struct reading r = {.each = each, .arg = arg, .out = out};
	struct arc_file *f;
	int rc = arc_open_stored(path, &f, err);

	*out = (struct custody_report){0};
	if (rc < 0)
		return rc;
	rc = read_log(&r, f, err);
	arc_close(f);
	return rc;
}

bool custody_is_log(const char *path)
{
	static const char begin[] = "{\"custody\":1,";
	char head[sizeof(begin)];
	struct arc_file *f;
	bool is;

	if (arc_open_stored(path, &f, NULL) < 0)
		return false;
	is = arc_read(f, head, sizeof(head) - 1, NULL) == (int64_t)sizeof(head) - 1 &&
	     memcmp(head, begin, sizeof(head) - 1) == 0;
	arc_close(f);
	return is;
}
