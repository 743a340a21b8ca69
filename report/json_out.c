/* SPDX-License-Identifier: Apache-2.0 */
#include "report/json_out.h"

#include <assert.h>

#include "base/json.h"

void rep_js_begin(struct rep_js *j, struct buf *b)
{
	*j = (struct rep_js){.b = b};
}

/* Comma and name of a value that comes now. */
static void put_name(struct rep_js *j, struct sv name)
{
	if (j->level[j->depth].some)
		buf_char(j->b, ',');
	j->level[j->depth].some = true;
	if (name.p) {
		json_string(j->b, name);
		buf_char(j->b, ':');
	}
}

static void put_key(struct rep_js *j, const char *key)
{
	put_name(j, sv_of(key));
}

static void begin(struct rep_js *j, struct sv name, char first, char last)
{
	size_t start = j->b->len;
	bool alone = !j->level[j->depth].some;

	put_name(j, name);
	buf_char(j->b, first);
	assert(j->depth < REP_JS_DEPTH);
	j->depth++;
	j->level[j->depth].start = start;
	j->level[j->depth].some = false;
	j->level[j->depth].alone = alone;
	j->level[j->depth].end = last;
}

void rep_js_object(struct rep_js *j, const char *key)
{
	begin(j, sv_of(key), '{', '}');
}

void rep_js_array(struct rep_js *j, const char *key)
{
	begin(j, sv_of(key), '[', ']');
}

void rep_js_end(struct rep_js *j)
{
	assert(j->depth > 0);
	buf_char(j->b, j->level[j->depth].end);
	j->depth--;
}

void rep_js_close(struct rep_js *j)
{
	assert(j->depth > 0);
	if (j->level[j->depth].some) {
		rep_js_end(j);
		return;
	}
	if (!j->b->failed)
		j->b->len = j->level[j->depth].start;
	j->level[j->depth - 1].some = !j->level[j->depth].alone;
	j->depth--;
}

void rep_js_text(struct rep_js *j, const char *key, struct sv s)
{
	if (!s.p)
		return;
	put_key(j, key);
	json_string(j->b, s);
}

void rep_js_some(struct rep_js *j, const char *key, struct sv s)
{
	if (s.n)
		rep_js_text(j, key, s);
}

void rep_js_str(struct rep_js *j, const char *key, const char *s)
{
	rep_js_text(j, key, sv_of(s));
}

void rep_js_int(struct rep_js *j, const char *key, int64_t v)
{
	put_key(j, key);
	buf_i64(j->b, v);
}

void rep_js_known(struct rep_js *j, const char *key, int64_t v)
{
	if (v >= 0)
		rep_js_int(j, key, v);
}

void rep_js_id(struct rep_js *j, const char *key, int64_t v)
{
	if (v < 0)
		return;
	put_key(j, key);
	buf_char(j->b, '"');
	buf_i64(j->b, v);
	buf_char(j->b, '"');
}

void rep_js_bool(struct rep_js *j, const char *key, bool v)
{
	put_key(j, key);
	buf_str(j->b, v ? "true" : "false");
}

void rep_js_time(struct rep_js *j, const char *key, int64_t ts)
{
	if (ts <= 0)
		return;
	put_key(j, key);
	buf_char(j->b, '"');
	rep_time(j->b, ts);
	buf_char(j->b, '"');
}

/* --- JSON out of rows */

/* The members or items of @json, if it is what the caller has begun: @room levels more may follow.
 */
static void copy_items(struct rep_js *j, struct sv json, bool array, unsigned room);

static void copy_value(struct rep_js *j, const struct rep_json *from, unsigned room)
{
	bool array = from->value.n && from->value.p[0] == '[';

	switch (from->kind) {
	case REP_JSON_STRING:
		put_name(j, from->name);
		json_string(j->b, from->value);
		return;
	case REP_JSON_OTHER:
		if (room && from->value.n) {
			begin(j, from->name, array ? '[' : '{', array ? ']' : '}');
			copy_items(j, from->value, array, room - 1);
			rep_js_end(j);
			return;
		}
		put_name(j, from->name);
		json_string(j->b, from->value);
		return;
	case REP_JSON_NULL:
	case REP_JSON_BOOL:
	case REP_JSON_NUMBER:
		put_name(j, from->name);
		buf_sv(j->b, from->value);
		return;
	}
}

static void copy_items(struct rep_js *j, struct sv json, bool array, unsigned room)
{
	struct rep_json from;

	rep_json_open(&from, json);
	while (from.object != array && rep_json_next(&from))
		copy_value(j, &from, room);
	rep_json_done(&from);
}

void rep_js_copy(struct rep_js *j, const char *key, struct sv json, bool array)
{
	unsigned room;

	begin(j, sv_of(key), array ? '[' : '{', array ? ']' : '}');
	room = REP_JS_DEPTH - j->depth;
	copy_items(j, json, array, room < REP_JS_COPY_MAX ? room : REP_JS_COPY_MAX);
	rep_js_end(j);
}
