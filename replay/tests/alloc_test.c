/* SPDX-License-Identifier: Apache-2.0 */
/* Once pools and buffers have grown, an event costs no allocation: counted over a recorded capture
 * with rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/tests/alloc_wrap.h"
#include "replay/replay.h"

#define CAPTURE SOURCE_DIR "/tests/captures/intrusion.scap"
#define RULES	SOURCE_DIR "/rules/starter.yaml"

static struct rule_engine *load_engine(struct rule_loader **loader)
{
	const struct rule_options opt = {.min_priority = RULE_DEBUG};
	struct rule_engine *engine;
	struct error err = {0};

	assert_int_equal(rule_loader_new(&opt, loader, &err), 0);
	assert_int_equal(rule_loader_file(*loader, RULES, &err), 0);
	assert_int_equal(rule_engine_new(*loader, NULL, 0, &engine, &err), 0);
	assert_int_equal(rule_engine_seal(engine, &err), 0);
	return engine;
}

static void an_event_costs_no_allocation(void **unused)
{
	struct rule_loader *loader;
	struct rule_engine *engine = load_engine(&loader);
	const struct rule *hits[64];
	struct state_binding b;
	struct sf_reader *reader;
	struct state *st;
	struct flt_ctx *cx;
	struct error err = {0};
	struct buf text = {0};
	struct ev_item item;
	unsigned long warm = 0;
	size_t matched = 0;
	uint64_t events = 0;

	(void)unused;
	alloc.counting = true;
	assert_int_equal(sf_reader_open(CAPTURE, NULL, &reader, &err), 0);
	assert_int_equal(state_new(NULL, &st, &err), 0);
	assert_int_equal(flt_ctx_new(rule_engine_program(engine), st, &cx, &err), 0);
	while (ev_source_next(sf_reader_source(reader), &item, &err) > 0) {
		size_t n;

		if (state_feed(st, &item, &b, &err) <= 0 || !b.visible)
			continue;
		if (++events == 5000)
			warm = alloc.calls;
		flt_ctx_event(cx, &b);
		n = rule_engine_match(engine, cx, true, hits, COUNT_OF(hits));
		for (size_t i = 0; i < n; i++) {
			buf_reset(&text);
			flt_format_text(cx, hits[i]->format, &text);
			matched++;
		}
	}
	printf("%lu allocations in %llu events after the first 5000, %zu alerts\n",
	       alloc.calls - warm, (unsigned long long)(events - 5000), matched);
	assert_true(events > 15000);
	assert_true(matched > 10);
	/* Slabs, tables and buffers still grow now and then; nothing grows with the number of
	 * events. */
	assert_true((alloc.calls - warm) * 200 < events);
	buf_done(&text);
	flt_ctx_free(cx);
	state_free(st);
	sf_reader_close(reader);
	rule_engine_free(engine);
	rule_loader_free(loader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(an_event_costs_no_allocation)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
