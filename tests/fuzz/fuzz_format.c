/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output formats from arbitrary text, rendered on a few good events and one made of arbitrary
 * bytes. A format compiles or is refused with a message; with a leading '*' it always renders, and
 * its members are JSON; without, what is absent leaves the output alone. Its parts make up the
 * text. Input: the format up to the first line feed; then the type (16 bits) and the parameters,
 * each a size (8 bits) and that many bytes; the last byte also selects the options.
 */
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "engine/filter/tests/scene.h"

#define REQUIRE(x)                                                                                 \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(struct flt_ctx *cx, const struct flt_format *f, bool lenient)
{
	struct buf out = {0};
	const struct sv *names;
	cJSON *parsed;
	int n;

	buf_char(&out, '{');
	n = flt_format_json(cx, f, &out);
	REQUIRE(n >= 0 || (!lenient && out.len == 1));
	if (n >= 0) {
		buf_char(&out, '}');
		parsed = cJSON_Parse(buf_cstr(&out));
		REQUIRE(parsed && cJSON_GetArraySize(parsed) == n);
		REQUIRE(flt_format_fields(f, &names) == (size_t)n);
		cJSON_Delete(parsed);
	}
	buf_done(&out);
}

/* The parts, brought to their widths, are the text. */
static void check_parts(struct flt_ctx *cx, const struct flt_format *f, struct sv text, bool shown)
{
	struct buf out = {0};
	struct flt_part part;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && flt_format_part(f, i, &part); i++) {
		size_t start = out.len;

		rc = flt_format_part_text(cx, f, i, &out);
		if (rc == 0)
			buf_lit(&out, "<NA>");
		while (part.width && out.len < start + part.width)
			buf_char(&out, ' ');
		if (part.width)
			out.len = start + part.width;
	}
	REQUIRE((rc >= 0) == shown);
	REQUIRE(!shown || sv_eq(buf_view(&out), text));
	buf_done(&out);
}

static void check_event(struct flt_ctx *cx, const struct flt_format *f, bool lenient,
			const struct state_binding *b)
{
	struct buf out = {0}, again = {0};
	bool shown;

	flt_ctx_event(cx, b);
	shown = flt_format_text(cx, f, &out);
	REQUIRE(shown || (!lenient && out.len == 0));
	check_json(cx, f, lenient);
	REQUIRE(flt_format_text(cx, f, &again) == shown);
	REQUIRE(sv_eq(buf_view(&out), buf_view(&again)));
	check_parts(cx, f, buf_view(&out), shown);
	buf_done(&again);
	buf_done(&out);
}

/* The event described by what follows the format; false: nothing of the kind. */
static bool hostile_event(struct ev_synth *s, struct cursor c)
{
	unsigned type = cursor_u16(&c) % EV_TYPE_COUNT;

	ev_synth_begin(s, type, SCENE_START, 101);
	for (unsigned i = 0; i < ev_table[type].nparams && c.left; i++) {
		size_t n = cursor_u8(&c);

		if (n > c.left)
			n = c.left;
		ev_synth_bytes(s, cursor_bytes(&c, n), n);
	}
	return ev_synth_end(s) == 0;
}

static void check_hostile(struct flt_ctx *cx, const struct flt_format *f, bool lenient,
			  struct state *st, struct cursor c)
{
	struct ev_synth *s = ev_synth_new();
	struct state_binding b;
	struct ev_item item;

	REQUIRE(s);
	if (hostile_event(s, c) && ev_source_next(ev_synth_source(s), &item, NULL) == 1 &&
	    state_feed(st, &item, &b, NULL) == 1)
		check_event(cx, f, lenient, &b);
	ev_source_close(ev_synth_source(s));
}

static void render(const struct flt_program *p, const struct flt_format *f, bool lenient,
		   struct cursor rest)
{
	struct flt_ctx *cx;
	struct scene sc;

	scene_open(&sc);
	REQUIRE(flt_ctx_new(p, sc.st, &cx, NULL) == 0);
	while (scene_next(&sc))
		check_event(cx, f, lenient, &sc.bind);
	check_hostile(cx, f, lenient, sc.st, rest);
	flt_ctx_free(cx);
	scene_close(&sc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct flt_static statics[] = {{"a", "x"}, {NULL, NULL}};
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	struct sv text = sv_make(data, end ? (size_t)(end - data) : size);
	unsigned choice = size ? data[size - 1] : 0;
	struct flt_options opt = {
	    .tz_offset_s = 3600,
	    .bytes = choice % (FLT_BYTES_BASE64 + 1),
	    .bytes_max = choice % 7,
	    .output_time = choice / 5 % (FLT_CLOCK_DELTA + 1),
	    .statics = statics,
	};
	struct error err = {0};
	struct flt_program *p;
	struct flt_format *f;

	REQUIRE(flt_program_new(&opt, &p, NULL) == 0);
	if (flt_format_new(p, text, &f, &err) == 0) {
		REQUIRE(flt_program_seal(p, NULL) == 0);
		render(p, f, text.n && text.p[0] == '*',
		       end ? cursor_of(end + 1, size - text.n - 1) : cursor_of(NULL, 0));
	} else {
		REQUIRE(err.code == ERR_COMPILE && err.msg[0]);
	}
	flt_program_free(p);
	return 0;
}
