/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters as they are typed, of arbitrary bytes: the first says where the cursor is. What is right
 * expands to what is right; places of errors lie within the text; parts, joined again, are the same
 * condition; a text made a value compares with that text.
 */
#include <stdlib.h>

#include "tui/filter.h"
#include "tui/prompt.h"
#include "tui/view.h"

#define REQUIRE(x)                                                                                 \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char rules[] = "- list: ls\n  items: [a, 'b c', none]\n"
			    "- list: none\n  items: []\n"
			    "- macro: m\n  condition: proc.name in (ls)\n"
			    "- macro: n\n  condition: not m or evt.type = open\n";

static struct rule_loader *rules_of(void *arg)
{
	static struct rule_loader *l;

	(void)arg;
	if (!l)
		REQUIRE(rule_loader_new(NULL, &l, NULL) == 0 &&
			rule_loader_text(l, "r", sv_of(rules), NULL) == 0);
	return l;
}

static const struct tui_filter_facts facts = {.now = 1795316541000000000, .rules = rules_of};

/* What is written out is understood without rules, and comes from within the text. */
static void check_words(struct sv text)
{
	struct rule_in_full f, again;
	struct error err;
	size_t pos = 0;
	int rc;

	if (tui_filter_in_full(&facts, text, &f, &pos, &err) < 0) {
		REQUIRE(pos <= text.n);
		return;
	}
	for (size_t i = 0; i < f.count; i++)
		REQUIRE(f.stretches[i].given <= text.n && f.stretches[i].from <= f.text.len);
	rc = rule_write_in_full(NULL, buf_view(&f.text), &again, &pos, &err);
	REQUIRE(rc == ERR_LIMIT || (rc == 0 && sv_eq(buf_view(&f.text), buf_view(&again.text))));
	rule_in_full_done(&f);
	rule_in_full_done(&again);
}

static void check_parts(struct sv text)
{
	struct sv parts[TUI_CHIPS_MAX];
	size_t n = tui_filter_chips(text, parts);
	struct arena arena = {0};
	struct buf joined = {0};
	struct flt_node *a, *b;

	REQUIRE(n <= TUI_CHIPS_MAX);
	for (size_t i = 0; i < n; i++)
		REQUIRE(parts[i].n && parts[i].p >= text.p &&
			parts[i].p + parts[i].n <= text.p + text.n);
	tui_filter_active(text, 0, &joined);
	if (flt_parse(text, FLT_DEPTH_DEFAULT, &arena, &a, NULL, NULL) == 0) {
		REQUIRE(flt_parse(buf_view(&joined), FLT_DEPTH_DEFAULT, &arena, &b, NULL, NULL) ==
			0);
		REQUIRE(flt_tree_equal(a, b));
	}
	buf_done(&joined);
	arena_done(&arena);
}

static void check_value(struct sv text)
{
	struct arena arena = {0};
	struct buf b = {0};
	struct flt_node *n;

	if (!text.n)
		return;
	buf_lit(&b, "proc.name = ");
	tui_filter_quote(&b, text);
	REQUIRE(flt_parse(buf_view(&b), FLT_DEPTH_DEFAULT, &arena, &n, NULL, NULL) == 0);
	REQUIRE(n->kind == FLT_CHECK && sv_eq(n->right->text, text));
	buf_done(&b);
	arena_done(&arena);
}

static void check_language(const struct tui_filter_language *lang, struct sv text, size_t cursor)
{
	struct tui_completions *out = calloc(1, sizeof(*out));
	struct tui_filter_at at;
	struct buf whole = {0};
	struct error err = {0};
	size_t pos = 0, ignored;
	int rc = lang->check ? lang->check(text, &pos, &err)
			     : tui_filter_check(lang, &facts, text, &pos, &err);

	REQUIRE(pos <= text.n && (rc == 0 || err.msg[0]));
	if (rc == 0 && lang->word && tui_filter_expand(lang->word, &facts, text, &whole, &err) == 0)
		REQUIRE(tui_filter_check(lang, &facts, buf_view(&whole), &ignored, &err) == 0);
	buf_reset(&whole);
	tui_filter_typed(lang->word, text, &whole);
	REQUIRE(whole.len <= text.n); /* a part of it, or what it began with as '!' */
	tui_filter_at(text, cursor, &at);
	REQUIRE(at.word.n + at.quoted <= cursor);
	if (out)
		tui_filter_names(lang, &at, out);
	if (out)
		tui_filter_rule_names(&facts, &at, out);
	REQUIRE(!out || out->count <= TUI_COMPLETIONS_MAX);
	if (out)
		buf_done(&out->text);
	free(out);
	buf_done(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tui_filter_language *const all[] = {
	    tui_events_ops.language, tui_alerts_ops.language, tui_tree_ops.language};
	struct sv text;
	size_t cursor;

	if (!size || size > TUI_PROMPT_MAX)
		return 0;
	text = sv_make(data + 1, size - 1);
	cursor = data[0] < text.n ? data[0] : text.n;
	for (size_t i = 0; i < COUNT_OF(all); i++)
		check_language(all[i], text, cursor);
	check_parts(text);
	check_words(text);
	check_value(text);
	return 0;
}
