/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every field, with every parameter and many arguments, of hostile events on a small machine. A
 * field renders the same twice, within the limit of its type; all of them make one JSON object.
 * Input: a byte of options, then events and entries of the process and descriptor lists. An event
 * is its type (16 bits), its thread (8 bits) and, for each parameter of the type, a byte that tells
 * how it is made: left out, arbitrary bytes of that number, or a number or text of the kind the
 * parameter has. A type beyond all makes an entry.
 */
#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "engine/filter/internal.h"
#include "engine/filter/tests/scene.h"

#define EVENTS_MAX 16
#define OPTIONS	   10
#define NUMBER_MAX 64	  /* bytes of text of one number, time or address */
#define TEXT_MAX   400000 /* of any other: what all parameters and the machine's strings can make */

#define REQUIRE(x)                                                                                 \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

struct shown { /* a field with its argument, alone in a format */
	const struct flt_field_info *info;
	struct flt_format *format;
};

struct all_fields {
	struct flt_program *program;
	struct flt_format *json; /* of all at once */
	struct shown *shown;
	size_t count;
	struct buf names; /* while it is built: the text of @json */
};

struct hostile {
	struct cursor in;
	struct ev_synth *synth;
	struct scene scene;
	struct flt_ctx *cx;
	const struct all_fields *all;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- the fields --- */

static void add_shown(struct all_fields *a, const char *name, const char *arg)
{
	struct buf text = {0};
	struct flt_format *f;
	const struct flt_field_info *info;

	buf_char(&text, '%');
	buf_str(&text, name);
	buf_str(&text, arg);
	info = flt_field_find(sv_drop(buf_view(&text), 1));
	if (info && flt_format_new(a->program, buf_view(&text), &f, NULL) == 0) {
		a->shown = realloc(a->shown, (a->count + 1) * sizeof(*a->shown));
		REQUIRE(a->shown);
		a->shown[a->count++] = (struct shown){info, f};
		buf_sv(&a->names, buf_view(&text));
		buf_char(&a->names, ' ');
	}
	buf_done(&text);
}

/* A field with each argument of a collection that it accepts. */
static void add_field(struct all_fields *a, const struct flt_field_info *info)
{
	static const char *const args[] = {"",	  "[0]",   "[1]",  "[31]",   "[HOME]",
					   "[/]", ".open", ".cpu", ".src",   ".dst",
					   "[a]", "[7]",   ".fd",  ".names", "[99999]"};

	for (size_t i = 0; i < COUNT_OF(args); i++)
		add_shown(a, info->name, args[i]);
}

static void add_parameters(struct all_fields *a)
{
	char name[64];

	for (unsigned t = 0; t < EV_TYPE_COUNT; t++)
		for (unsigned i = 0; i < ev_table[t].nparams; i++) {
			bool known = false;

			for (unsigned before = 0; before < t && !known; before++)
				known = ev_param_index(before, ev_table[t].params[i].name) >= 0;
			if (known)
				continue;
			snprintf(name, sizeof(name), ".%s", ev_table[t].params[i].name);
			add_shown(a, "evt.arg", name);
			add_shown(a, "evt.rawarg", name);
		}
}

static struct all_fields *new_fields(unsigned options)
{
	static const struct flt_static statics[] = {{"a", "x"}, {NULL, NULL}};
	struct flt_options opt = {.tz_offset_s = 3600,
				  .bytes = (enum flt_bytes)(options % 5),
				  .bytes_max = options >= 5 ? options : 0,
				  .corrected = options & 1,
				  .statics = statics};
	struct all_fields *a = calloc(1, sizeof(*a));

	REQUIRE(a && flt_program_new(&opt, &a->program, NULL) == 0);
	buf_char(&a->names, '*');
	for (size_t i = 0; i < flt_field_count; i++)
		add_field(a, &flt_field_table[i]);
	add_parameters(a);
	REQUIRE(a->count > flt_field_count);
	REQUIRE(flt_format_new(a->program, buf_view(&a->names), &a->json, NULL) == 0);
	REQUIRE(flt_program_seal(a->program, NULL) == 0);
	return a;
}

/* The fields under a set of options, compiled once for all inputs. */
static const struct all_fields *fields_of(unsigned options)
{
	static struct all_fields *made[OPTIONS];

	if (!made[options])
		made[options] = new_fields(options);
	return made[options];
}

/* --- what they show --- */

static size_t limit_of(const struct shown *s)
{
	if (s->info->flags & FLT_FIELD_LIST)
		return FLT_LIST_TEXT_MAX;
	/* evt.rawarg has the type of the event's parameter, which may be any. */
	if (s->info->arg == FLT_ARG_REQUIRED)
		return TEXT_MAX;
	switch (flt_type_class(s->info->type)) {
	case FLT_CLASS_BYTES:
		return FLT_BUFFER_TEXT_MAX;
	case FLT_CLASS_TEXT:
	case FLT_CLASS_OTHER:
		return TEXT_MAX;
	default:
		return NUMBER_MAX;
	}
}

static void check_texts(const struct hostile *h)
{
	struct buf out = {0}, again = {0};

	for (size_t i = 0; i < h->all->count; i++) {
		const struct shown *s = &h->all->shown[i];
		bool present;

		buf_reset(&out);
		buf_reset(&again);
		present = flt_format_text(h->cx, s->format, &out);
		REQUIRE(out.len <= (present ? limit_of(s) : 0));
		REQUIRE(flt_format_text(h->cx, s->format, &again) == present);
		REQUIRE(sv_eq(buf_view(&out), buf_view(&again)));
	}
	buf_done(&again);
	buf_done(&out);
}

static void check_json(const struct hostile *h)
{
	struct buf out = {0};
	const struct sv *names;
	cJSON *parsed;
	int n;

	buf_char(&out, '{');
	n = flt_format_json(h->cx, h->all->json, &out);
	buf_char(&out, '}');
	REQUIRE(n > 0 && flt_format_fields(h->all->json, &names) == (size_t)n);
	parsed = cJSON_Parse(buf_cstr(&out));
	REQUIRE(parsed && cJSON_GetArraySize(parsed) == n);
	cJSON_Delete(parsed);
	buf_done(&out);
}

/* --- the events --- */

static int64_t some_number(struct hostile *h)
{
	static const int64_t numbers[] = {
	    0,	       1,	  3,	     4,		 5,
	    6,	       7,	  -1,	     -2,	 -98,
	    -100,      -115,	  -512,	     100,	 101,
	    1000,      0644,	  36,	     65535,	 INT32_MAX,
	    INT32_MIN, INT64_MAX, INT64_MIN, UINT32_MAX, 0x5555555555555555};

	return numbers[cursor_u8(&h->in) % COUNT_OF(numbers)];
}

static void put_raw(struct hostile *h, size_t n)
{
	if (n > h->in.left)
		n = h->in.left;
	ev_synth_bytes(h->synth, cursor_bytes(&h->in, n), n);
}

/* Texts with their NUL, and bytes without one. */
#define WHOLE(literal)                                                                             \
	{                                                                                          \
		(literal), sizeof(literal)                                                         \
	}
#define BARE(literal)                                                                              \
	{                                                                                          \
		(literal), sizeof(literal) - 1                                                     \
	}

static struct sv some_text(struct hostile *h)
{
	static const struct sv texts[] = {
	    WHOLE(""),
	    WHOLE("/"),
	    WHOLE("rel/../x"),
	    WHOLE("(NULL)"),
	    BARE("(NULL)"),
	    BARE("no end"),
	    BARE("\xff\xfe\0\xc3"),
	    BARE("\xed\xa0\x80\x01\"\\\x7f"),
	    WHOLE("<12>syslog"),
	    WHOLE("container"),
	    WHOLE("{\"container\":{\"id\":\"x\",\"labels\":{\"a\":\"\x01\"}}}"),
	    WHOLE("Event:x; ID:y; name:z; Image:w@sha256:0"),
	    WHOLE("cpu=/docker/"
		  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
	    WHOLE("HOME=/x\0PATH=\0="),
	    BARE("\x02\x01\x02\x03\x04\x50\0\x05\x06\x07\x08\x35\0"),
	    BARE("\x0a\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x50\0\xfe\x80\0\0\0\0\0\0\0\0"
		 "\0\0\0\0\0\x02\x35\0"),
	    BARE("\x0a"),
	    WHOLE("\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0/x"),
	    BARE("\x02\0\x03\0\0\0\0\0\0\0\x41\0"),
	    BARE("\x01\x9e\xff\xff\xff\xff\xff\xff\xff"),
	};

	return texts[cursor_u8(&h->in) % COUNT_OF(texts)];
}

static void put_text(struct hostile *h)
{
	struct sv s = some_text(h);

	ev_synth_bytes(h->synth, s.p, s.n);
}

static void put_param(struct hostile *h)
{
	uint8_t how = cursor_u8(&h->in);

	if (how < 16)
		ev_synth_empty(h->synth);
	else if (how < 128)
		ev_synth_int(h->synth, some_number(h));
	else if (how < 208)
		put_text(h);
	else
		put_raw(h, how == 255 ? 65535 : how - 208);
}

static int64_t some_tid(struct hostile *h)
{
	static const int64_t tids[] = {101, 101, 101, 100, 50, 1, -1, 7777};

	return tids[cursor_u8(&h->in) % COUNT_OF(tids)];
}

static void feed(struct hostile *h, const struct ev_item *item)
{
	struct state_binding b;

	REQUIRE(state_feed(h->scene.st, item, &b, NULL) >= 0);
}

/* A thread as a process list may have it, with a descriptor. */
static void feed_entries(struct hostile *h)
{
	struct ev_thread_entry t = {
	    .tid = some_tid(h),
	    .pid = some_tid(h),
	    .ptid = some_tid(h),
	    .vtid = some_number(h),
	    .vpid = some_number(h),
	    .sid = some_number(h),
	    .comm = some_text(h),
	    .exe = some_text(h),
	    .exepath = some_text(h),
	    .args = some_text(h),
	    .env = some_text(h),
	    .cwd = some_text(h),
	    .cgroups = some_text(h),
	    .fdlimit = some_number(h),
	    .uid = (uint32_t)some_number(h),
	    .exe_ino_ctime = (uint64_t)some_number(h),
	    .pidns_init_start_ts = (uint64_t)some_number(h),
	};
	struct ev_fd_entry fd = {
	    .tid = t.tid,
	    .fd = cursor_u8(&h->in) % 10,
	    .type = (int)(cursor_u8(&h->in) % 24) - 1,
	    .name = some_text(h),
	    .dev = (uint32_t)some_number(h),
	    .openflags = (uint32_t)some_number(h),
	    .ino = (uint64_t)some_number(h),
	    .sport = cursor_u16(&h->in),
	    .dport = cursor_u16(&h->in),
	    .l4proto = cursor_u8(&h->in),
	    .unix_source = (uint64_t)some_number(h),
	};

	fd.sip[cursor_u8(&h->in) % 16] = 0xff;
	fd.dip[cursor_u8(&h->in) % 16] = 1;
	feed(h, &(struct ev_item){.kind = EV_ITEM_THREAD, .thread = &t});
	feed(h, &(struct ev_item){.kind = EV_ITEM_FD, .fd = &fd});
}

static void put_event(struct hostile *h, unsigned type, size_t n)
{
	ev_synth_begin(h->synth, type, SCENE_START + n * 1000003, some_tid(h));
	for (unsigned i = 0; i < ev_table[type].nparams; i++)
		put_param(h);
}

static void run(struct hostile *h)
{
	for (size_t n = 0; n < EVENTS_MAX && h->in.left; n++) {
		unsigned type = cursor_u16(&h->in) % (EV_TYPE_COUNT + 10);
		struct state_binding b;
		struct ev_item item;

		if (type >= EV_TYPE_COUNT) {
			feed_entries(h);
			continue;
		}
		put_event(h, type, n);
		if (ev_synth_end(h->synth) < 0) /* too big for an event */
			continue;
		REQUIRE(ev_source_next(ev_synth_source(h->synth), &item, NULL) == 1);
		if (state_feed(h->scene.st, &item, &b, NULL) != 1)
			continue;
		flt_ctx_event(h->cx, &b);
		check_texts(h);
		check_json(h);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hostile h = {.in = cursor_of(data, size), .synth = ev_synth_new()};

	REQUIRE(h.synth);
	h.all = fields_of(cursor_u8(&h.in) % OPTIONS);
	scene_open(&h.scene);
	while (scene_next(&h.scene))
		;
	REQUIRE(flt_ctx_new(h.all->program, h.scene.st, &h.cx, NULL) == 0);
	run(&h);
	flt_ctx_free(h.cx);
	scene_close(&h.scene);
	ev_source_close(ev_synth_source(h.synth));
	return 0;
}
