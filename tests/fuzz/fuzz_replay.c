/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole replay of arbitrary bytes: reader, state, rules, formats. Checks that the state's
 * invariants hold at the end, that the compiled conditions agree with the naive evaluator, and that
 * every alert renders.
 */
#include <assert.h>
#include <stdlib.h>

#include "replay/replay.h"

static const char rules_text[] =
    "- list: names\n  items: [cat, bash, sh, curl]\n"
    "- macro: opened\n  condition: (evt.type in (open, openat, openat2) and fd.num >= 0)\n"
    "- rule: a\n  desc: d\n  condition: opened and fd.name startswith /etc and not proc.name in "
    "(names)\n"
    "  output: f=%fd.name c=%proc.cmdline p=%proc.pname a=%proc.aname[2] u=%user.name "
    "x=%evt.args\n  priority: INFO\n"
    "- rule: b\n  desc: d\n  condition: evt.type in (execve, execveat) and (proc.args contains x "
    "or proc.pname exists)\n"
    "  output: e=%proc.exepath %proc.env[PATH] %container.id %thread.cgroups %proc.sname "
    "%evt.arg.filename\n  priority: INFO\n"
    "- rule: c\n  desc: d\n  condition: evt.type in (connect, accept, accept4, sendto, recvfrom) "
    "and fd.sport != 53\n"
    "  output: s=%fd.name %fd.cip %fd.sip %fd.l4proto %fd.is_server %evt.buffer %fd.types\n  "
    "priority: INFO\n"
    "- rule: d\n  desc: d\n  condition: evt.failed = true and fs.path.name glob \"/t*\" or "
    "fd.directory pmatch (/tmp, /var)\n"
    "  output: o=%evt.res %fs.path.name %fs.path.source %fs.path.target %evt.abspath\n  priority: "
    "INFO\n"
    "- rule: e\n  desc: d\n  condition: proc.name regex '^[a-m].*' and evt.num >= 1\n"
    "  output: n=%evt.num %evt.time %evt.category %evt.arg[0] %evt.arg[1] %proc.loginshellid "
    "%thread.cap_effective\n"
    "  priority: INFO\n  warn_evttypes: false\n";

static struct rule_loader *loader;
static struct rule_engine *engine;

static void load_rules(void)
{
	const struct rule_options opt = {.min_priority = RULE_DEBUG};
	struct error err = {0};

	if (rule_loader_new(&opt, &loader, &err) < 0 ||
	    rule_loader_text(loader, "rules", sv_make(rules_text, sizeof(rules_text) - 1), &err) <
		0 ||
	    rule_engine_new(loader, NULL, 0, &engine, &err) < 0 ||
	    rule_engine_seal(engine, &err) < 0)
		abort();
}

static void look_at(struct flt_ctx *cx, const struct state_binding *b, struct buf *text)
{
	size_t n;
	const struct rule *rules = rule_engine_rules(engine, &n);
	const struct rule *hits[8];

	flt_ctx_event(cx, b);
	for (size_t i = 0; i < n; i++)
		if (flt_types_has(rules[i].types, b->ev->type))
			assert(flt_match(cx, rules[i].condition_id) ==
			       flt_match_naive(cx, rules[i].condition_id));
	n = rule_engine_match(engine, cx, true, hits, COUNT_OF(hits));
	for (size_t i = 0; i < n; i++) {
		buf_reset(text);
		flt_format_text(cx, hits[i]->format, text);
		flt_format_json(cx, hits[i]->format, text);
	}
	/* Every event renders, matched or not. */
	buf_reset(text);
	flt_render_args(cx, b->ev, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sf_options opt = {.memory_limit = 64 << 20};
	struct sf_reader *reader = NULL;
	struct state *st = NULL;
	struct flt_ctx *cx = NULL;
	struct error err = {0};
	struct buf text = {0};
	struct state_binding b;
	struct ev_item item;
	int rc;

	if (!engine)
		load_rules();
	if (sf_reader_open_memory(data, size, &opt, &reader, &err) < 0)
		return 0;
	if (state_new(NULL, &st, &err) < 0 ||
	    flt_ctx_new(rule_engine_program(engine), st, &cx, &err) < 0)
		abort();
	while ((rc = ev_source_next(sf_reader_source(reader), &item, &err)) > 0) {
		if (state_feed(st, &item, &b, &err) > 0)
			look_at(cx, &b, &text);
	}
	assert(rc == 0);
	if (state_check(st, &err) < 0)
		abort();
	buf_done(&text);
	flt_ctx_free(cx);
	state_free(st);
	sf_reader_close(reader);
	return 0;
}
