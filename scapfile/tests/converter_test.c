/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The converter of old events: every row of its table with and without a stored enter event,
 * checked against converter.tsv itself, and the special cases. The first half reads the TSV file
 * and applies its rules in the plainest way, so that a mistake in the generated table or in the way
 * it is applied shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "scapfile/internal.h"
#include "scapfile/tests/capture_builder.h"
#include "scapfile/tests/describe.h"

#define TSV_ROWS_MAX 512
#define TID	     42

struct tsv_row {
	unsigned type, nparams_in, result, nparams_out;
	char action[16], sources[1024];
};

struct model_value {
	uint8_t bytes[32];
	unsigned n;
};

struct model { /* an event on its way through the conversion, or the stored one (type UINT_MAX:
		  none) */
	unsigned type, nparams;
	struct model_value params[EV_PARAMS_MAX];
};

static struct tsv_row rows[TSV_ROWS_MAX];
static size_t row_count;

static int load_rows(void **state)
{
	FILE *f = fopen(SOURCE_DIR "/scapfile/schema/converter.tsv", "r");
	static char line[4096];

	(void)state;
	if (!f || !fgets(line, sizeof(line), f))
		return -1;
	while (fgets(line, sizeof(line), f) && row_count < TSV_ROWS_MAX) {
		struct tsv_row *r = &rows[row_count];

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%u\t%*s\t%u\t%15s\t%u\t%*s\t%u\t%1023[^\n]", &r->type,
			   &r->nparams_in, r->action, &r->result, &r->nparams_out, r->sources) != 6)
			return -1;
		row_count++;
	}
	fclose(f);
	return row_count == 253 ? 0 : -1;
}

static const struct tsv_row *tsv_row(unsigned type, unsigned nparams)
{
	for (size_t i = 0; i < row_count; i++)
		if (rows[i].type == type && rows[i].nparams_in == nparams)
			return &rows[i];
	return NULL;
}

#define AGAIN 6 /* half of them with each version of the header */

enum lengths { AS_WIDE, EMPTY, SHORTER, LONGER, ALL_LENGTHS }; /* than parameters of the type are */

/* The value that test events hold in parameter @i; where the type has no width, it is of a length
 * of its own. */
static struct model_value sample_value(unsigned type, unsigned i, unsigned salt,
				       enum lengths lengths)
{
	struct model_value v = {.n = ev_ptype_width(ev_table[type].params[i].type)};

	if (v.n == 0)
		v.n = 3 + i % 5;
	if (lengths == EMPTY)
		v.n = 0;
	else if (lengths == SHORTER)
		v.n--;
	else if (lengths == LONGER)
		v.n += 1 + i % 9;
	for (unsigned k = 0; k < v.n; k++)
		v.bytes[k] = (uint8_t)(salt + 16 * i + k + 1);
	return v;
}

static struct model sample_event(unsigned type, unsigned nparams, unsigned salt,
				 enum lengths lengths)
{
	struct model m = {.type = type, .nparams = nparams};

	for (unsigned i = 0; i < nparams; i++)
		m.params[i] = sample_value(type, i, salt, lengths);
	return m;
}

static struct model_value model_default(unsigned type, unsigned i)
{
	enum ev_ptype pt = ev_table[type].params[i].type;
	struct model_value v = {.n = ev_ptype_width(pt)};

	memset(v.bytes, pt == PT_UID || pt == PT_GID ? 0xff : 0, v.n);
	return v;
}

/* @v as parameter @i of @type: not longer than it can be. */
static struct model_value model_cut(struct model_value v, unsigned type, unsigned i)
{
	unsigned width = ev_ptype_width(ev_table[type].params[i].type);

	if (width && v.n > width)
		v.n = width;
	return v;
}

/* "2:fd=enter[0]|default" for parameter 2 of @type. */
static struct model_value model_source(const char *text, unsigned type, const struct model *old,
				       const struct model *stored)
{
	const char *is = strchr(text, '=') + 1;
	unsigned i = (unsigned)atoi(text), k;
	struct model_value v = {.n = 0};

	if (sscanf(is, "old[%u]", &k) == 1)
		v = old->params[k];
	else if (sscanf(is, "enter[%u]", &k) == 1 && stored->type != UINT32_MAX)
		v = stored->params[k];
	else if (strncmp(is, "default", 7) == 0 ||
		 (strncmp(is, "enter", 5) == 0 && strstr(is, "|default") &&
		  (!strchr(is, ';') || strstr(is, "|default") < strchr(is, ';'))))
		v = model_default(type, i);
	return model_cut(v, type, i);
}

/* 0: dropped, 1: delivered; -1: an error. Rules of the format document, in its order. */
static int model_convert(struct model *m, struct model *stored)
{
	for (;;) {
		const struct ev_info *info = &ev_table[m->type];
		const struct tsv_row *r = tsv_row(m->type, m->nparams);
		struct model next = {0};
		const char *src;

		if (info->flags & EF_UNUSED)
			return 0;
		if (!(info->flags & EF_CONVERTER_MANAGED))
			return !(info->flags & EF_OLD_VERSION);
		if ((m->type & 1) && m->nparams == info->nparams && !(info->flags & EF_OLD_VERSION))
			return 1;
		if (!r)
			return -1;
		if (strcmp(r->action, "PASS") == 0)
			return 1;
		if (strncmp(r->action, "STORE", 5) == 0) {
			*stored = *m;
			return strcmp(r->action, "STORE") != 0;
		}
		if (strstr(r->sources, "enter") && stored->type != UINT32_MAX &&
		    stored->type != m->type - 1)
			return -1;
		next.type = r->result;
		next.nparams = r->nparams_out;
		if (strcmp(r->action, "ADD_PARAMS") == 0)
			for (unsigned i = 0; i < m->nparams; i++)
				next.params[i] = model_cut(m->params[i], m->type, i);
		for (src = r->sources; *src && *src != '-'; src += strspn(src, "; ")) {
			next.params[atoi(src)] = model_source(src, r->result, m, stored);
			src += strcspn(src, ";");
		}
		if (strstr(r->sources, "enter"))
			stored->type = UINT32_MAX;
		*m = next;
	}
}

/* Write @m as a block of the capture. */
static void build_event(struct capture *c, const struct model *m, enum cb_block block, uint64_t ts)
{
	bool wide = ev_table[m->type].flags & EF_LARGE_PAYLOAD;
	int error =
	    block == CB_EV && (m->type == EV_NOTIFICATION_E || m->type == EV_INFRASTRUCTURE_EVENT_E)
		? 3 /* as these were written */
		: 0;

	cb_event_begin(c, wide ? CB_EV_V2_LARGE : block, m->type, ts, TID);
	for (unsigned i = 0; i < m->nparams; i++)
		cb_param(c, m->params[i].bytes, m->params[i].n);
	cb_event_end_as(c, wide, error);
}

static void assert_same_event(struct ev *ev, const struct model *m, const char *what)
{
	if (ev->type != m->type || ev->nparams != m->nparams || ev->tid != TID)
		fail_msg("%s: got type %u with %u parameters, expected %u with %u", what, ev->type,
			 ev->nparams, m->type, m->nparams);
	for (unsigned i = 0; i < m->nparams; i++) {
		struct ev_value v = ev_param(ev, i);

		if (v.n != m->params[i].n || (v.n && memcmp(v.p, m->params[i].bytes, v.n) != 0))
			fail_msg("%s: parameter %u (%u bytes, expected %u) differs", what, i, v.n,
				 m->params[i].n);
	}
}

/*
 * Convert @exit, behind @enter if that is not NULL, by the reader and by the model, and compare:
 * again and again, as the reader takes what it has seen before in a quicker way.
 * Return: how many events were delivered.
 */
static unsigned compare_with_model(const struct model *enter, const struct model *exit)
{
	static struct model wanted[2 * AGAIN];
	struct model stored = {.type = UINT32_MAX};
	unsigned count = 0, got = 0, errors = 0;
	struct capture c = {0};
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	char what[64];

	cb_section(&c);
	for (int i = 0; i < 2 * AGAIN; i++) {
		const struct model *m = i % 2 == 0 ? enter : exit;
		int rc;

		if (!m)
			continue;
		build_event(&c, m, i < AGAIN ? CB_EV_V2 : CB_EV, 5);
		wanted[count] = *m;
		rc = model_convert(&wanted[count], &stored);
		count += rc > 0;
		errors += rc < 0;
	}
	snprintf(what, sizeof(what), "event %u(%u)%s", exit->type, exit->nparams,
		 enter ? " behind its enter event" : "");
	assert_int_equal(sf_reader_open_memory(c.out.p, c.out.len, NULL, &r, &err), 0);
	assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 1);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0) {
		assert_true(got < count);
		assert_same_event(item.ev, &wanted[got++], what);
	}
	if (got != count || sf_reader_stats(r)->gaps != errors)
		fail_msg("%s: %u events instead of %u", what, got, count);
	sf_reader_close(r);
	cb_done(&c);
	return count;
}

/* Every row, behind every enter event. Return: how many events were delivered. */
static unsigned compare_rows(enum lengths of_exit, enum lengths of_enter)
{
	unsigned delivered = 0;

	for (size_t i = 0; i < row_count; i++) {
		struct model exit_event =
		    sample_event(rows[i].type, rows[i].nparams_in, 0, of_exit);

		if (strstr(rows[i].sources, "container_json"))
			continue; /* has a test of its own */
		delivered += compare_with_model(NULL, &exit_event);
		for (size_t k = 0; k < row_count; k++) {
			struct model enter;

			if (!(rows[i].type & 1) || rows[k].type != rows[i].type - 1)
				continue;
			enter = sample_event(rows[k].type, rows[k].nparams_in, 128, of_enter);
			delivered += compare_with_model(&enter, &exit_event);
		}
	}
	return delivered;
}

static void every_row_converts_as_the_table_says(void **state)
{
	(void)state;
	/* So many came out when the reference was asked the same, with fewer pairs. */
	assert_true(compare_rows(AS_WIDE, AS_WIDE) > 286);
}

static void parameters_of_any_length_are_kept_or_cut(void **state)
{
	(void)state;
	for (enum lengths of_exit = AS_WIDE; of_exit < ALL_LENGTHS; of_exit++)
		for (enum lengths of_enter = AS_WIDE; of_enter < ALL_LENGTHS; of_enter++)
			assert_true(compare_rows(of_exit, of_enter) > 286);
}

static void complete_current_events_pass_unchanged(void **state)
{
	unsigned passed = 0;

	(void)state;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		const struct ev_info *info = &ev_table[type];
		struct model m = sample_event(type, info->nparams, 0, AS_WIDE);

		if (info->flags & (EF_UNUSED | EF_OLD_VERSION))
			continue;
		if ((info->flags & EF_CONVERTER_MANAGED) && !(type & 1))
			continue;
		passed += compare_with_model(NULL, &m);
	}
	assert_true(passed >= 191); /* the live event types of the table */
}

/* The capture's text behind its section line. */
static void expect_events(struct capture *c, const char *wanted)
{
	struct buf out = {0};

	describe_capture(&out, c->out.p, c->out.len, NULL);
	assert_string_equal(buf_cstr(&out) + strlen("section @0\n"), wanted);
	buf_done(&out);
	cb_done(c);
}

static void a_container_event_becomes_json(void **state)
{
	struct capture c = {0};
	struct sf_reader *r;
	struct ev_item item;
	struct error err;

	(void)state;
	cb_section(&c);
	cb_event_begin(&c, CB_EV_V2, EV_CONTAINER_E, 1, TID);
	cb_param_str(&c, "id\"1");
	cb_param_u32(&c, 3000000000u);
	cb_param_str(&c, "name");
	cb_param_str(&c, "image");
	cb_event_end(&c);
	assert_int_equal(sf_reader_open_memory(c.out.p, c.out.len, NULL, &r, &err), 0);
	assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 1);
	assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 1);
	assert_int_equal(item.ev->type, EV_CONTAINER_JSON_2_E);
	assert_true(item.ev->wide);
	assert_int_equal(load_u32(item.ev->lens), 62);
	assert_string_equal(
	    (const char *)ev_param(item.ev, 0).p,
	    "{\"id\":\"id\"1\",\"type\":3000000000,\"name\":\"name\",\"image\":\"image\"}");
	sf_reader_close(r);
	cb_done(&c);
}

static void a_container_event_that_does_not_fit_gives_an_empty_parameter(void **state)
{
	(void)state;
	for (int bad = 0; bad < 3; bad++) {
		struct capture c = {0};

		cb_section(&c);
		cb_event_begin(&c, CB_EV_V2, EV_CONTAINER_E, 1, TID);
		cb_param(&c, "idid", bad == 0 ? 4 : 0); /* no NUL, or nothing at all */
		cb_param(&c, "\0\0\0\0\0", bad == 1 ? 5 : 4);
		cb_param_str(&c, "name");
		cb_param(&c, "a\0b", bad == 2 ? 4 : 2);
		cb_event_end(&c);
		expect_events(&c, "event 324 ts=1 tid=42 cpu=0 -\n");
	}
}

static void connect_takes_its_address_only_when_that_step_finds_the_enter_event(void **state)
{
	(void)state;
	for (unsigned nparams = 2; nparams <= 3; nparams++) {
		struct capture c = {0};

		cb_section(&c);
		cb_event_begin(&c, CB_EV_V2, EV_CONNECT_E, 1, TID);
		cb_param_u64(&c, 3);
		cb_param(&c, "\x02\x7f\0\0\x01\x50\0", 7);
		cb_event_end(&c);
		cb_event_begin(&c, CB_EV_V2, EV_CONNECT_X, 2, TID);
		cb_param_u64(&c, 0);
		cb_param(&c, "T", 1);
		if (nparams == 3)
			cb_param_u64(&c, 3);
		cb_event_end(&c);
		expect_events(
		    &c,
		    nparams == 3
			? "event 22 ts=1 tid=42 cpu=0 0300000000000000 027f0000015000\n"
			  "event 23 ts=2 tid=42 cpu=0 0000000000000000 54 0300000000000000 "
			  "027f0000015000\n"
			: "event 22 ts=1 tid=42 cpu=0 0300000000000000 027f0000015000\n"
			  "event 23 ts=2 tid=42 cpu=0 0000000000000000 54 0300000000000000 -\n");
	}
}

static void bpf_keeps_the_discriminator_as_the_reference_does(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_event_begin(&c, CB_EV_V2, EV_BPF_E, 1, TID);
	cb_param_u64(&c, 0x1122334455667788);
	cb_event_end(&c);
	cb_event_begin(&c, CB_EV_V2, EV_BPF_X, 2, TID);
	cb_param(&c, "\x01\x07\0\0\0\0\0\0\0", 9);
	cb_event_end(&c);
	expect_events(&c, "event 369 ts=2 tid=42 cpu=0 0107000000000000 88776655\n");
}

static void a_stored_event_of_another_type_is_an_error(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_event_begin(&c, CB_EV_V2, EV_LISTEN_E, 1, TID);
	cb_param_u64(&c, 3);
	cb_param_u32(&c, 128);
	cb_event_end(&c);
	cb_event_begin(&c, CB_EV_V2, EV_READ_X, 2, TID);
	cb_param_u64(&c, 1);
	cb_param(&c, "x", 1);
	cb_event_end(&c);
	cb_event_begin(&c, CB_EV_V2, EV_LISTEN_X, 3, TID); /* the stored event is still there */
	cb_param_u64(&c, 0);
	cb_event_end(&c);
	cb_event_begin(&c, CB_EV_V2, EV_LISTEN_X, 4, TID); /* and now it is not */
	cb_param_u64(&c, 0);
	cb_event_end(&c);
	expect_events(&c, "event 25 ts=3 tid=42 cpu=0 0000000000000000 0300000000000000 80000000\n"
			  "event 25 ts=4 tid=42 cpu=0 0000000000000000 0000000000000000 00000000\n"
			  "gap event @84+56\n");
}

static void an_enter_event_without_a_row_is_an_error(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_event_begin(&c, CB_EV_V2, EV_GENERIC_E, 1, TID);
	cb_param(&c, "\x01\0", 2);
	cb_event_end(&c);
	expect_events(&c, "gap event @28+44\n");
}

static void a_section_forgets_the_stored_events(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_event_begin(&c, CB_EV_V2, EV_CLOSE_E, 1, TID);
	cb_param_u64(&c, 3);
	cb_event_end(&c);
	cb_section(&c);
	cb_event_begin(&c, CB_EV_V2, EV_CLOSE_X, 3, TID);
	cb_param_u64(&c, 0);
	cb_event_end(&c);
	expect_events(&c,
		      "section @80\nevent 5 ts=3 tid=42 cpu=0 0000000000000000 0000000000000000\n");
}

static void too_many_parameters_matter_only_where_the_converter_cares(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	for (int managed = 0; managed < 2; managed++) {
		cb_event_begin(&c, CB_EV_V2, managed ? EV_CLOSE_X : EV_STAT_X, 1, TID);
		cb_param_u64(&c, 0);
		for (int i = 1; i < 300; i++)
			cb_param(&c, "/", 2);
		cb_event_end(&c);
	}
	expect_events(&c,
		      "event 67 ts=1 tid=42 cpu=0 0000000000000000 2f00\ngap event @1276+1248\n");
}

static void unmanaged_old_enter_events_and_fillers_are_dropped(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_event_begin(&c, CB_EV_V2, EV_STAT_E, 1, TID);
	cb_event_end(&c);
	cb_event_begin(&c, CB_EV_V2, EV_PROCEXIT_1_X, 1, TID); /* the unused half of a pair */
	cb_event_end(&c);
	expect_events(&c, "");
}

/* All bytes of parameter @i are @byte. */
static void assert_filled(struct ev *ev, unsigned i, uint8_t byte, size_t n)
{
	struct ev_value v = ev_param(ev, i);

	assert_int_equal(v.n, n);
	for (size_t k = 0; k < n; k++)
		assert_int_equal(v.p[k], byte);
}

static void large_parameters_of_both_events_are_joined(void **state)
{
	static const size_t sizes[][2] = {
	    {10, 20}, {10, CONV_PLANNED_MAX}, {CONV_PLANNED_MAX, 10}, {3000, 3000}};
	static char of_enter[3000], of_exit[3000];

	(void)state;
	memset(of_enter, 1, sizeof(of_enter));
	memset(of_exit, 2, sizeof(of_exit));
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct capture c = {0};
		struct sf_reader *r;
		struct ev_item item;
		struct error err;

		cb_section(&c);
		cb_event_begin(&c, CB_EV_V2, EV_SENDTO_E, 1, TID);
		cb_param_u64(&c, 3);
		cb_param_u32(&c, 7);
		cb_param(&c, of_enter, sizes[i][0]);
		cb_event_end(&c);
		cb_event_begin(&c, CB_EV_V2, EV_SENDTO_X, 2, TID);
		cb_param_u64(&c, 7);
		cb_param(&c, of_exit, sizes[i][1]);
		cb_event_end(&c);
		assert_int_equal(sf_reader_open_memory(c.out.p, c.out.len, NULL, &r, &err), 0);
		assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 1);
		assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 1);
		assert_filled(item.ev, 1, 2, sizes[i][1]);
		assert_filled(item.ev, 4, 1, sizes[i][0]);
		sf_reader_close(r);
		cb_done(&c);
	}
}

static void conversion_refuses_what_grows_over_the_limit(void **state)
{
	static char big[40000];
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	/* Both fit a block; together with the stored one the exit event would not. */
	cb_event_begin(&c, CB_EV_V2, EV_CONNECT_E, 2, TID);
	cb_param_u64(&c, 3);
	cb_param(&c, big, sizeof(big));
	cb_event_end(&c);
	cb_event_begin(&c, CB_EV_V2, EV_CONNECT_X, 3, TID);
	cb_param_u64(&c, 0);
	cb_param(&c, big, sizeof(big));
	cb_param_u64(&c, 3);
	cb_event_end(&c);
	expect_events(&c, "event 22 ts=2 tid=42 cpu=0 0300000000000000 "
			  "000000000000000000000000000000000000000000000000000000000000000000000000"
			  "00000000..40000\n"
			  "gap event @40080+40064\n");
}

static void stored_events_of_many_threads_are_bounded(void **state)
{
	static struct converter conv;
	static const uint8_t lens[2] = {60, 0};
	uint8_t data[60] = {0};
	const char *why;

	(void)state;
	for (int64_t tid = 0; tid < CONV_STORED_MAX + 1000; tid++) {
		struct ev ev = {
		    .type = EV_CLOSE_E, .tid = tid, .nparams = 1, .lens = lens, .data = data};

		assert_int_equal(conv_apply(&conv, &ev, &why), CONV_DROP_STORED);
		assert_true(conv.enters.bytes <= CONV_BYTES_MAX);
	}
	assert_int_equal(conv.enters.waiting, CONV_STORED_MAX);
	assert_null(map_get(&conv.enters.by_tid, 999)); /* the oldest gave way */
	assert_non_null(map_get(&conv.enters.by_tid, 1000));
	conv_reset(&conv);
	assert_int_equal(conv.enters.waiting, 0);
	assert_int_equal(conv.enters.bytes, 0);
	conv_done(&conv);
}

/* Let events of @type in the old form follow on each other for threads @from to @to. */
static void feed_threads(struct converter *conv, unsigned type, int64_t from, int64_t to, int want)
{
	static const uint8_t lens[2] = {8, 0};
	uint8_t data[8] = {0};
	const char *why;

	for (int64_t tid = from; tid < to; tid++) {
		struct ev ev = {
		    .type = (uint16_t)type, .tid = tid, .nparams = 1, .lens = lens, .data = data};

		assert_int_equal(conv_apply(conv, &ev, &why), want);
	}
}

static void threads_that_ended_are_forgotten(void **state)
{
	static struct converter conv;

	(void)state;
	for (int64_t tid = 0; tid < 10 * CONV_IDLE_MAX; tid += 100) {
		feed_threads(&conv, EV_CLOSE_E, tid, tid + 100, CONV_DROP_STORED);
		feed_threads(&conv, EV_CLOSE_X, tid, tid + 100, CONV_DELIVER);
		assert_int_equal(conv.enters.waiting, 0);
		assert_int_equal(conv.enters.bytes, 0);
		assert_true(conv.enters.by_tid.count <= CONV_IDLE_MAX);
	}
	conv_done(&conv);
}

static void a_record_without_an_event_takes_no_room_from_those_that_wait(void **state)
{
	static struct converter conv;

	(void)state;
	feed_threads(&conv, EV_CLOSE_E, -100, 0, CONV_DROP_STORED);
	feed_threads(&conv, EV_CLOSE_X, -100, 0, CONV_DELIVER);
	feed_threads(&conv, EV_CLOSE_E, 0, CONV_STORED_MAX, CONV_DROP_STORED);
	assert_int_equal(conv.enters.waiting, CONV_STORED_MAX);
	assert_non_null(conv_enters_find(&conv.enters, 0));
	assert_null(conv_enters_find(&conv.enters, -1));
	assert_non_null(map_get(&conv.enters.by_tid, (uint64_t)-1));
	conv_done(&conv);
}

static void storing_again_and_again_takes_no_more_memory(void **state)
{
	static struct converter conv;
	static const uint8_t lens[2] = {8, 0};
	uint8_t data[8] = {0};
	size_t total = 0;
	const char *why;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		struct ev ev = {
		    .type = EV_CLOSE_E, .tid = i % 7, .nparams = 1, .lens = lens, .data = data};

		assert_int_equal(conv_apply(&conv, &ev, &why), CONV_DROP_STORED);
		if (i == 100)
			total = conv.enters.pool.total;
	}
	assert_int_equal(conv.enters.pool.total, total);
	conv_done(&conv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_converts_as_the_table_says),
	    cmocka_unit_test(parameters_of_any_length_are_kept_or_cut),
	    cmocka_unit_test(complete_current_events_pass_unchanged),
	    cmocka_unit_test(a_container_event_becomes_json),
	    cmocka_unit_test(a_container_event_that_does_not_fit_gives_an_empty_parameter),
	    cmocka_unit_test(connect_takes_its_address_only_when_that_step_finds_the_enter_event),
	    cmocka_unit_test(bpf_keeps_the_discriminator_as_the_reference_does),
	    cmocka_unit_test(a_stored_event_of_another_type_is_an_error),
	    cmocka_unit_test(an_enter_event_without_a_row_is_an_error),
	    cmocka_unit_test(a_section_forgets_the_stored_events),
	    cmocka_unit_test(too_many_parameters_matter_only_where_the_converter_cares),
	    cmocka_unit_test(unmanaged_old_enter_events_and_fillers_are_dropped),
	    cmocka_unit_test(large_parameters_of_both_events_are_joined),
	    cmocka_unit_test(conversion_refuses_what_grows_over_the_limit),
	    cmocka_unit_test(stored_events_of_many_threads_are_bounded),
	    cmocka_unit_test(threads_that_ended_are_forgotten),
	    cmocka_unit_test(a_record_without_an_event_takes_no_room_from_those_that_wait),
	    cmocka_unit_test(storing_again_and_again_takes_no_more_memory),
	};

	return cmocka_run_group_tests(tests, load_rows, NULL);
}
