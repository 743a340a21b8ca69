/* SPDX-License-Identifier: Apache-2.0 */
/* A run over a source that is no file: what is live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "replay/replay.h"

#define TS 1700000000000000000u

struct counting_sink {
	struct run_sink base;
	unsigned begun, alerts, flushed, ended;
	uint64_t gaps, events;
	char name[16], first_gap[160];
};

static int on_begin(struct run_sink *s, const char *path, struct error *err)
{
	struct counting_sink *c = (struct counting_sink *)s;

	(void)err;
	c->begun++;
	snprintf(c->name, sizeof(c->name), "%s", path);
	return 0;
}

static int on_alert(struct run_sink *s, const struct run_alert *a, struct error *err)
{
	(void)a;
	(void)err;
	((struct counting_sink *)s)->alerts++;
	return 0;
}

static int on_flush(struct run_sink *s, struct error *err)
{
	(void)err;
	((struct counting_sink *)s)->flushed++;
	return 0;
}

static int on_end(struct run_sink *s, const struct qry_capture_end *e, struct error *err)
{
	struct counting_sink *c = (struct counting_sink *)s;

	(void)err;
	c->ended++;
	c->gaps = e->stats->gaps;
	c->events = e->stats->events;
	if (e->gap_count)
		snprintf(c->first_gap, sizeof(c->first_gap), "%s", e->gaps[0].what);
	return 0;
}

static const struct run_sink_ops ops = {
    .capture_begin = on_begin, .alert = on_alert, .flush = on_flush, .capture_end = on_end};

static struct rule_engine *engine_of(const char *text, struct rule_loader **loader)
{
	const struct rule_options opt = {.min_priority = RULE_DEBUG};
	struct rule_engine *engine;
	struct error err = {0};

	assert_int_equal(rule_loader_new(&opt, loader, &err), 0);
	assert_int_equal(rule_loader_text(*loader, "test", sv_of(text), &err), 0);
	assert_int_equal(rule_engine_new(*loader, NULL, 0, &engine, &err), 0);
	return engine;
}

static void add_loss(struct ev_synth *s, uint64_t count)
{
	const struct ev_loss loss = {
	    .from = TS, .to = TS + 5, .cpu = 1, .reason = EV_LOSS_RING_FULL, .count = count};
	const struct ev_item item = {.kind = EV_ITEM_LOSS, .loss = &loss};

	assert_int_equal(ev_synth_add(s, &item), 0);
}

static void add_exit(struct ev_synth *s, uint64_t ts)
{
	ev_synth_begin(s, EV_SETSID_X, ts, 7);
	ev_synth_int(s, 7);
	assert_int_equal(ev_synth_end(s), 0);
}

static void a_source_that_is_no_file_is_judged_like_one(void **unused)
{
	struct counting_sink sink = {.base.ops = &ops};
	struct run_sink *sinks[] = {&sink.base};
	struct ev_synth *synth = ev_synth_new();
	struct rule_loader *loader;
	struct rule_engine *engine =
	    engine_of("- rule: r\n  desc: d\n  condition: evt.type = setsid\n  output: o\n"
		      "  priority: INFO\n",
		      &loader);
	const struct run_options opt = {.match_all = true};
	struct run_capture_report rep;
	struct error err = {0};
	struct run *r;

	(void)unused;
	add_exit(synth, TS);
	add_loss(synth, 123);
	for (unsigned i = 0; i < SF_GAPS_MAX; i++)
		add_loss(synth, 1);
	add_exit(synth, TS + 10);
	assert_int_equal(run_new(engine, &opt, sinks, 1, &r, &err), 0);
	for (unsigned round = 1; round <= 2; round++) { /* the second is another source */
		struct ev_synth *other = round == 1 ? synth : ev_synth_new();

		assert_int_equal(run_source(r, "live", ev_synth_source(other), &rep, &err), 0);
		assert_int_equal(sink.begun, round);
		assert_int_equal(sink.ended, round);
		assert_string_equal(sink.name, "live");
		assert_int_equal(sink.alerts, 2);
		assert_int_equal(sink.events, round == 1 ? 2 : 0);
		assert_int_equal(sink.gaps, round == 1 ? SF_GAPS_MAX + 1 : 0);
		assert_int_equal(rep.gap_count, round == 1 ? SF_GAPS_MAX : 0);
		assert_int_equal(rep.end, RUN_END_CLEAN);
		ev_source_close(ev_synth_source(other));
	}
	assert_non_null(strstr(sink.first_gap, "lost 123 events of cpu 1 (ring full)"));
	assert_int_equal(run_totals(r)->gaps, SF_GAPS_MAX + 1);
	assert_int_equal(sink.flushed, 0);
	assert_int_equal(run_flush(r, &err), 0);
	assert_int_equal(sink.flushed, 1);
	run_free(r);
	rule_engine_free(engine);
	rule_loader_free(loader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_source_that_is_no_file_is_judged_like_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
