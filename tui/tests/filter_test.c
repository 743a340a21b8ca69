/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/filter.h"
#include "tui/prompt.h"

#define WORD "(proc.name contains $ or fd.name contains $)"

static int alert(void *arg, uint64_t id, struct buf *out, struct error *err)
{
	(void)arg;
	if (id != 17)
		return error_set(err, ERR_USAGE, "there is no alert %d", (int)id);
	buf_lit(out, "proc.pid = 2240");
	return 0;
}

static const char rules[] = "- list: shells\n"
			    "  items: [sh, bash]\n"
			    "- macro: spawned_process\n"
			    "  condition: evt.type in (execve, execveat)\n"
			    "- macro: spawned_shell\n"
			    "  condition: spawned_process and proc.name in (shells)\n";

static struct rule_loader *loader;
static unsigned asked; /* for rules */

static struct rule_loader *rules_of(void *arg)
{
	(void)arg;
	asked++;
	return loader;
}

static int load_rules(void **state)
{
	(void)state;
	assert_int_equal(rule_loader_new(NULL, &loader, NULL), 0);
	return rule_loader_text(loader, "dir/r.yaml", sv_of(rules), NULL);
}

static int drop_rules(void **state)
{
	(void)state;
	rule_loader_free(loader);
	return 0;
}

static const struct tui_filter_facts facts = {.now = 5000000000, .alert = alert, .rules = rules_of};
static const struct tui_filter_language words = {.word = WORD};

/* --- short forms --- */

static void check_expansion(const char *text, const char *expected)
{
	struct buf out = {0};
	struct error err;

	assert_int_equal(tui_filter_expand(WORD, &facts, sv_of(text), &out, &err), 0);
	assert_string_equal(buf_cstr(&out), expected);
	buf_done(&out);
}

static void test_words_become_conditions(void **state)
{
	(void)state;
	check_expansion("", "");
	check_expansion("  ", "");
	check_expansion("kd", "(proc.name contains kd or fd.name contains kd)");
	check_expansion(" /etc/shadow ",
			"(proc.name contains /etc/shadow or fd.name contains /etc/shadow)");
	check_expansion("'a b'", "(proc.name contains \"a b\" or fd.name contains \"a b\")");
	check_expansion("!kd", "not (proc.name contains kd or fd.name contains kd)");
	check_expansion("!!kd", "(proc.name contains kd or fd.name contains kd)");
	check_expansion("!proc.name = sh", "not (proc.name = sh)");
	check_expansion("proc.name=kd", "proc.name=kd");
	check_expansion("spawned_process", "spawned_process");
	check_expansion("evt.failed", "evt.failed = true");
	check_expansion("proc.tty", "proc.tty exists");
	check_expansion("a b", "a b"); /* neither a word nor a condition */
	check_expansion("a\\b", "(proc.name contains \"a\\x5cb\" or fd.name contains \"a\\x5cb\")");
}

static void test_times_and_alerts(void **state)
{
	struct buf out = {0};
	struct error err;

	(void)state;
	check_expansion("<2s", "evt.rawtime >= 3000000000 and evt.rawtime <= 7000000000");
	check_expansion(">2s", "(evt.rawtime < 3000000000 or evt.rawtime > 7000000000)");
	check_expansion("<1h", "evt.rawtime >= 0 and evt.rawtime <= 3605000000000");
	check_expansion("@17", "proc.pid = 2240");
	check_expansion("@alert 17", "proc.pid = 2240");
	check_expansion("!@17", "not proc.pid = 2240");
	assert_int_equal(tui_filter_expand(WORD, &facts, SV_LIT("@18"), &out, &err), ERR_USAGE);
	assert_int_equal(tui_filter_expand(WORD, NULL, SV_LIT("@17"), &out, &err), ERR_USAGE);
	buf_done(&out);
}

/* Whatever is in a word: what it expands to compiles, and compares with that word. */
static void test_any_word_is_quoted(void **state)
{
	static const char *const texts[] = {"\\",   "a\"b",	"it's", "x=y",		"(",
					    "a,b",  "\x1b[31m", "\xff", "\xe2\x80\xae", "end\\",
					    "\\\"", "and",	"not",	"oneof"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct arena arena = {0};
		struct flt_node *n;
		struct buf out = {0};
		struct error err = {0};

		buf_lit(&out, "proc.name = ");
		tui_filter_quote(&out, sv_of(texts[i]));
		assert_int_equal(
		    flt_parse(buf_view(&out), FLT_DEPTH_DEFAULT, &arena, &n, NULL, &err), 0);
		assert_true(sv_is(n->right->text, texts[i]));
		buf_done(&out);
		arena_done(&arena);
	}
}

/* --- parts --- */

static void check_chips(const char *text, size_t count, const char *second)
{
	struct sv parts[TUI_CHIPS_MAX];

	if (tui_filter_chips(sv_of(text), parts) != count)
		fail_msg("'%s' has not %zu parts", text, count);
	if (second)
		assert_true(sv_is(parts[1], second));
}

static void test_parts_are_those_that_and_joins(void **state)
{
	(void)state;
	check_chips("", 0, NULL);
	check_chips(" proc.name = a ", 1, NULL);
	check_chips("proc.name = a and fd.num = 3", 2, "fd.num = 3");
	check_chips("proc.name = a and (fd.num = 3 and fd.num = 4) and m", 3,
		    "(fd.num = 3 and fd.num = 4)");
	check_chips("proc.name = a and not (fd.num = 3 or fd.num = 4)", 2,
		    "not (fd.num = 3 or fd.num = 4)");
	check_chips("proc.name = a and(m)", 2, "(m)");
	check_chips("proc.name = \"x and y\" and m", 2, "m");
	check_chips("proc.name = \"x and y", 1, NULL);
	check_chips("proc.name in (a, and, b) and m", 2, "m");
	check_chips("a and b or c", 1, NULL);
	check_chips("proc.name = a and", 1, NULL);
	check_chips("proc.name = and and m", 1, NULL); /* not worth more */
	check_chips("(a and b", 1, NULL);
	check_chips("a) and (b", 1, NULL);
	check_chips("not a and b", 2, "b");
}

static void check_typed(const char *word, const char *part, const char *expected)
{
	struct buf out = {0};

	tui_filter_typed(word, sv_of(part), &out);
	assert_string_equal(buf_cstr(&out), expected);
	buf_done(&out);
}

static void check_typed_again(const char *text)
{
	struct sv parts[TUI_CHIPS_MAX];
	struct buf out = {0}, typed = {0};
	struct error err;

	assert_int_equal(tui_filter_expand(WORD, &facts, sv_of(text), &out, &err), 0);
	assert_int_equal(tui_filter_chips(buf_view(&out), parts), 1);
	tui_filter_typed(WORD, parts[0], &typed);
	assert_string_equal(buf_cstr(&typed), text);
	buf_done(&out);
	buf_done(&typed);
}

static void test_words_are_seen_as_they_were_typed(void **state)
{
	(void)state;
	check_typed_again("kd");
	check_typed_again("!kd");
	check_typed_again("/etc/sh*dow");
	check_typed_again("\"a b\"");
	check_typed_again("!\"a b\"");
	check_typed_again("proc.name = kd");
	check_typed(NULL, "(proc.name contains kd or fd.name contains kd)",
		    "(proc.name contains kd or fd.name contains kd)");
	/* Almost what a word becomes. */
	check_typed(WORD, "(proc.name contains kd or fd.name contains k)",
		    "(proc.name contains kd or fd.name contains k)");
	check_typed(WORD, "(proc.name contains kd or fd.name contains kd or m)",
		    "(proc.name contains kd or fd.name contains kd or m)");
	check_typed(WORD, "(proc.name contains kd", "(proc.name contains kd");
	check_typed(WORD, "(proc.name contains  or fd.name contains )",
		    "(proc.name contains  or fd.name contains )");
	check_typed(WORD, "", "");
}

static void test_too_many_parts_are_one(void **state)
{
	struct buf text = {0};

	(void)state;
	buf_lit(&text, "m");
	for (int i = 1; i < TUI_CHIPS_MAX; i++)
		buf_lit(&text, " and m");
	check_chips(buf_cstr(&text), TUI_CHIPS_MAX, "m");
	buf_lit(&text, " and m");
	check_chips(buf_cstr(&text), 1, NULL);
	buf_done(&text);
}

static void check_active(const char *text, uint64_t off, const char *expected)
{
	struct buf out = {0};

	tui_filter_active(sv_of(text), off, &out);
	assert_string_equal(buf_cstr(&out), expected);
	buf_done(&out);
}

static void test_parts_are_switched_off(void **state)
{
	(void)state;
	check_active("a and  b and c", 0, "a and b and c");
	check_active("a and b and c", 2, "a and c");
	check_active("a and b and c", 7, "");
	check_active("a or b", 2, "a or b");
	check_active("a or b", 1, "");
}

/* --- right or wrong --- */

static int check(const char *text, size_t *pos)
{
	struct error err = {0};

	return tui_filter_check(&words, &facts, sv_of(text), pos, &err);
}

static void test_what_is_wrong_is_told_where(void **state)
{
	static const struct {
		const char *text;
		int code;
		size_t pos;
	} rows[] = {
	    {"", 0, 0},
	    {"kd", 0, 0},
	    {"!", 0, 0},
	    {"!kd", 0, 0},
	    {"@17", 0, 0},
	    {"@18", ERR_USAGE, 0},
	    {"<5m", 0, 0},
	    {"spawned_process and proc.name = kd", 0, 0},
	    {"proc.name = kd and nosuch and x", ERR_COMPILE, 19},
	    {"proc.name = kd and evt.ty", ERR_TRUNCATED, 25},
	    {"proc.name =", ERR_TRUNCATED, 11},
	    {"proc.name = ", ERR_TRUNCATED, 12},
	    {"proc.name xx", ERR_TRUNCATED, 10},
	    {"proc.name xx ", ERR_SYNTAX, 10},
	    {"proc.name = kd an", ERR_TRUNCATED, 15},
	    {"proc.name = kd xx proc.name", ERR_SYNTAX, 15},
	    {"proc.nam = kd", ERR_COMPILE, 0},
	    {"!proc.nam = kd", ERR_COMPILE, 1},
	    {"evt.type = exe", ERR_TRUNCATED, 11},
	    {"evt.type = exe and evt.num = 1", ERR_COMPILE, 11},
	    {"(proc.name = kd", ERR_TRUNCATED, 15},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t pos = 99;
		int rc = check(rows[i].text, &pos);

		if (rc != rows[i].code || (rc < 0 && pos != rows[i].pos))
			fail_msg("'%s': %d at %zu", rows[i].text, rc, pos);
	}
}

static void test_views_know_classes_of_fields(void **state)
{
	static const struct tui_filter_language few = {.classes = "proc user"};
	struct error err = {0};
	size_t pos;

	(void)state;
	assert_int_equal(tui_filter_check(&few, NULL, SV_LIT("user.name = a"), &pos, &err), 0);
	assert_int_equal(tui_filter_check(&few, NULL,
					  SV_LIT("user.name = a and fd.num = 1 and user.name = b"),
					  &pos, &err),
			 ERR_COMPILE);
	assert_int_equal(pos, 18);
}

static void test_what_is_wrong_in_a_macro_names_it(void **state)
{
	static const struct tui_filter_language few = {.classes = "proc user"};
	struct error err = {0};
	size_t pos;

	(void)state;
	assert_int_equal(
	    tui_filter_check(&few, &facts,
			     SV_LIT("user.name = a and spawned_shell and proc.pid > 3"), &pos,
			     &err),
	    ERR_COMPILE);
	assert_int_equal(pos, 18);
	assert_string_equal(err.msg, "evt.type is not known here, only fields of: proc user, in "
				     "macro spawned_process (r.yaml:3)");
	assert_int_equal(tui_filter_check(&few, &facts,
					  SV_LIT("proc.pid in (1, shells) and proc.pid > 3"), &pos,
					  &err),
			 ERR_COMPILE);
	assert_int_equal(pos, 16);
	assert_non_null(strstr(err.msg, ", in list shells (r.yaml:1)"));
	assert_int_equal(
	    tui_filter_check(&few, &facts,
			     SV_LIT("proc.name in (shells) and evt.num > 3 and proc.pid > 3"), &pos,
			     &err),
	    ERR_COMPILE);
	assert_int_equal(pos, 26);
}

static void test_rules_are_asked_for_only_if_named(void **state)
{
	size_t pos;

	(void)state;
	asked = 0;
	assert_int_equal(check("proc.name = kd and not fd.num = 3", &pos), 0);
	assert_int_equal(asked, 0);
	assert_int_equal(check("proc.name = kd and spawned_process", &pos), 0);
	assert_true(asked > 0);
}

/* --- where the cursor is --- */

static void test_cursor_knows_its_place(void **state)
{
	static const struct {
		const char *text; /* the cursor is at '|' */
		enum tui_filter_place place;
		const char *word, *field;
	} rows[] = {
	    {"|", TUI_PLACE_TERM, "", ""},
	    {"!|", TUI_PLACE_TERM, "", ""},
	    {"pro|c.name = a", TUI_PLACE_TERM, "pro", ""},
	    {"proc.name |", TUI_PLACE_OPERATOR, "", "proc.name"},
	    {"proc.name con|", TUI_PLACE_OPERATOR, "con", "proc.name"},
	    {"proc.name=|", TUI_PLACE_VALUE, "", "proc.name"},
	    {"proc.name = k|", TUI_PLACE_VALUE, "k", "proc.name"},
	    {"proc.name != k|d", TUI_PLACE_VALUE, "k", "proc.name"},
	    {"proc.name contains k|", TUI_PLACE_VALUE, "k", "proc.name"},
	    {"proc.name = \"a b|", TUI_PLACE_VALUE, "a b", "proc.name"},
	    {"proc.name = kd |", TUI_PLACE_JOIN, "", "proc.name"},
	    {"proc.name = kd a|", TUI_PLACE_JOIN, "a", "proc.name"},
	    {"proc.name = kd and |", TUI_PLACE_TERM, "", "proc.name"},
	    {"proc.name = \"a b\" and f|", TUI_PLACE_TERM, "f", "proc.name"},
	    {"proc.name in |", TUI_PLACE_LIST, "", "proc.name"},
	    {"proc.name in (|", TUI_PLACE_VALUE, "", "proc.name"},
	    {"proc.name in (a, b|", TUI_PLACE_VALUE, "b", "proc.name"},
	    {"proc.name in (a, b) |", TUI_PLACE_JOIN, "", "proc.name"},
	    {"(proc.name = a or (f|", TUI_PLACE_TERM, "f", "proc.name"},
	    {"not (not f|", TUI_PLACE_TERM, "f", ""},
	    {"proc.aname[2] = |", TUI_PLACE_VALUE, "", "proc.aname[2]"},
	    {"evt.arg[a b] = |", TUI_PLACE_VALUE, "", "evt.arg[a b]"},
	    {"proc.tty exists |", TUI_PLACE_JOIN, "", "proc.tty"},
	    {"macro |", TUI_PLACE_JOIN, "", "macro"},
	    {"proc.name startswith oneof |", TUI_PLACE_LIST, "", "proc.name"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *bar = strchr(rows[i].text, '|');
		struct buf text = {0};
		struct tui_filter_at at;

		buf_add(&text, rows[i].text, (size_t)(bar - rows[i].text));
		buf_str(&text, bar + 1);
		tui_filter_at(buf_view(&text), (size_t)(bar - rows[i].text), &at);
		if (at.place != rows[i].place || !sv_is(at.word, rows[i].word) ||
		    !sv_is(at.field, rows[i].field))
			fail_msg("%s: %d, word '%.*s' of '%.*s'", rows[i].text, at.place,
				 (int)at.word.n, at.word.p, (int)at.field.n, at.field.p);
		buf_done(&text);
	}
}

/* Before they are fixed by the prompt, items hold offsets. */
static bool offers(const char *text, const char *word)
{
	static struct tui_completions out;
	struct tui_filter_at at;
	bool found = false;

	out.count = 0;
	buf_reset(&out.text);
	tui_filter_at(sv_of(text), strlen(text), &at);
	tui_filter_names(&words, &at, &out);
	tui_filter_rule_names(&facts, &at, &out);
	for (size_t i = 0; i < out.count && !found; i++)
		found =
		    sv_is(sv_make(out.text.p + (uintptr_t)out.items[i].text.p, out.items[i].text.n),
			  word);
	buf_done(&out.text);
	return found;
}

static void test_names_fit_the_place(void **state)
{
	(void)state;
	assert_true(offers("", "proc."));
	assert_false(offers("", "and"));
	assert_true(offers("pr", "proc."));
	assert_true(offers("proc.na", "proc.name"));
	assert_true(offers("proc.name ", "startswith"));
	assert_false(offers("proc.pid ", "startswith"));
	assert_true(offers("proc.pid ", ">="));
	assert_true(offers("evt.type = exec", "execve"));
	assert_true(offers("", "spawned_process"));
	assert_true(offers("not spawned_s", "spawned_shell"));
	assert_false(offers("not spawned_s", "spawned_process"));
	assert_false(offers("", "shells"));
	assert_true(offers("proc.name in (a, she", "shells"));
	assert_true(offers("proc.name in ", "(shells)"));
	assert_false(offers("proc.name in (\"she", "shells"));
	assert_false(offers("proc.name = she", "shells"));
	assert_true(offers("evt.res = ENO", "ENOENT"));
	assert_true(offers("fd.type = i", "ipv4"));
	assert_true(offers("evt.failed = ", "false"));
	assert_true(offers("proc.name = a ", "or"));
	assert_true(offers("proc.name in ", "("));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words_become_conditions),
	    cmocka_unit_test(test_times_and_alerts),
	    cmocka_unit_test(test_any_word_is_quoted),
	    cmocka_unit_test(test_parts_are_those_that_and_joins),
	    cmocka_unit_test(test_words_are_seen_as_they_were_typed),
	    cmocka_unit_test(test_too_many_parts_are_one),
	    cmocka_unit_test(test_parts_are_switched_off),
	    cmocka_unit_test(test_what_is_wrong_is_told_where),
	    cmocka_unit_test(test_views_know_classes_of_fields),
	    cmocka_unit_test(test_what_is_wrong_in_a_macro_names_it),
	    cmocka_unit_test(test_rules_are_asked_for_only_if_named),
	    cmocka_unit_test(test_cursor_knows_its_place),
	    cmocka_unit_test(test_names_fit_the_place),
	};

	return cmocka_run_group_tests(tests, load_rules, drop_rules);
}
