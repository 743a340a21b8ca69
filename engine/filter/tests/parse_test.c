/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "engine/filter/ast.h"
#include "engine/filter/tests/groups.h"

#define SHARED SOURCE_DIR "/../shared/spec/"

static struct sv print_node(struct buf *b, const struct flt_node *n)
{
	buf_reset(b);
	flt_print(b, n);
	return buf_view(b);
}

static int parse(struct sv text, unsigned limit)
{
	struct arena arena = {0};
	struct flt_node *n;
	struct error err;
	int rc = flt_parse(text, limit, &arena, &n, NULL, &err);

	arena_done(&arena);
	return rc;
}

/* --- text files --- */

static void check_same(const struct group *g)
{
	for (size_t i = 1; i < g->count; i++) {
		struct arena arena = {0};
		struct buf b = {0};
		struct flt_node *n;
		struct error err;

		if (flt_parse(g->lines[i], FLT_DEPTH_DEFAULT, &arena, &n, NULL, &err) < 0)
			fail_msg("line %u: '%.*s': %s", g->line, (int)g->lines[i].n, g->lines[i].p,
				 err.msg);
		if (!sv_eq(print_node(&b, n), g->lines[0]))
			fail_msg("line %u: '%.*s' prints '%s'", g->line, (int)g->lines[i].n,
				 g->lines[i].p, buf_cstr(&b));
		buf_done(&b);
		arena_done(&arena);
	}
}

static void check_failure(const struct group *g)
{
	struct arena arena = {0};
	struct buf b = {0}, expected = {0};
	struct flt_node *n;
	struct flt_pos pos;
	struct error err;
	int rc = flt_parse(g->lines[0], FLT_DEPTH_DEFAULT, &arena, &n, &pos, &err);

	if (rc != ERR_SYNTAX)
		fail_msg("line %u: '%.*s' gives %d", g->line, (int)g->lines[0].n, g->lines[0].p,
			 rc);
	buf_str(&b, err.msg);
	buf_char(&b, '\n');
	flt_error_context(&b, g->lines[0], pos);
	for (size_t i = 1; i < g->count; i++) {
		buf_sv(&expected, g->lines[i]);
		buf_char(&expected, '\n');
	}
	if (!sv_eq(buf_view(&b), buf_view(&expected)))
		fail_msg("line %u: got\n%s", g->line, buf_cstr(&b));
	buf_done(&b);
	buf_done(&expected);
	arena_done(&arena);
}

static void check_group(const struct group *g)
{
	if (strcmp(g->name, "SAME") == 0)
		check_same(g);
	else
		check_failure(g);
}

static void conditions_print_and_fail_as_the_examples_say(void **state)
{
	(void)state;
	assert_true(for_each_group(SOURCE_DIR "/engine/filter/tests/parse.txt", check_group) > 50);
}

/* --- the acceptance samples --- */

static void must_parse(const char *text, bool accept)
{
	int rc = parse(sv_of(text), FLT_DEPTH_DEFAULT);

	if ((rc == 0) != accept)
		fail_msg("'%s' is %s", text, accept ? "refused" : "accepted");
}

/* With blanks at both ends, and with other blanks in place of spaces. */
static void must_accept_variants(const char *text)
{
	char wrapped[4096], replaced[4096];
	const char *blanks = "\n\t";

	must_parse(text, true);
	snprintf(wrapped, sizeof(wrapped), " %s ", text);
	must_parse(wrapped, true);
	for (size_t k = 0; k < 2; k++) {
		snprintf(replaced, sizeof(replaced), "%s", text);
		for (char *p = replaced; *p; p++)
			if (*p == ' ')
				*p = blanks[k];
		must_parse(replaced, true);
	}
}

static size_t for_each_sample(const char *path, void (*check)(const char *text))
{
	struct sv whole = read_whole_file(path), text = whole, line;
	size_t n = 0;

	while (next_line(&text, &line)) {
		cJSON *json = cJSON_ParseWithLength(line.p, line.n);

		assert_true(cJSON_IsString(json));
		check(json->valuestring);
		cJSON_Delete(json);
		n++;
	}
	free((void *)(uintptr_t)whole.p);
	return n;
}

static void must_reject(const char *text)
{
	must_parse(text, false);
}

static void the_acceptance_samples_are_judged_as_given(void **state)
{
	FILE *f = fopen(SHARED "filters-accept-sample.txt", "r");

	(void)state;
	if (!f)
		skip();
	fclose(f);
	assert_true(for_each_sample(SHARED "filters-accept-sample.txt", must_accept_variants) >
		    400);
	assert_true(for_each_sample(SHARED "filters-reject-sample.txt", must_reject) > 60);
}

/* --- nesting --- */

struct nesting { /* @n times @open, then @middle, @n times @close, and @tail */
	const char *open, *middle, *close, *tail;
	unsigned most; /* with FLT_DEPTH_DEFAULT */
};

static int parse_nested(const struct nesting *c, unsigned n, unsigned limit)
{
	struct buf b = {0};
	int rc;

	for (unsigned i = 0; i < n; i++)
		buf_str(&b, c->open);
	buf_str(&b, c->middle);
	for (unsigned i = 0; i < n; i++)
		buf_str(&b, c->close);
	buf_str(&b, c->tail);
	rc = parse(buf_view(&b), limit);
	buf_done(&b);
	return rc;
}

static void nesting_is_limited_exactly(void **state)
{
	static const struct nesting cases[] = {
	    {"(", "m", ")", "", 19},	 {"(", "a.b = c", ")", "", 18},
	    {"not(", "m", ")", "", 23},	 {"m and(", "m", ")", "", 31},
	    {"m or(", "m", ")", "", 47}, {"tolower(", "a.b", ")", " exists", 47},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct nesting *c = &cases[i];

		assert_int_equal(parse_nested(c, c->most, FLT_DEPTH_DEFAULT), 0);
		assert_int_equal(parse_nested(c, c->most + 1, FLT_DEPTH_DEFAULT), ERR_LIMIT);
	}
	assert_int_equal(parse_nested(&cases[0], 199, FLT_DEPTH_RULES), 0);
	assert_int_equal(parse_nested(&cases[0], 200, FLT_DEPTH_RULES), ERR_LIMIT);
}

static void hostile_nesting_is_an_error_and_flat_chains_are_not(void **state)
{
	static const struct nesting hostile[] = {
	    {"(", "", "", "", 0}, {"not(", "", "", "", 0}, {"b64(", "", "", "", 0}};
	static const struct nesting flat[] = {{"not ", "m", "", "", 0},
					      {"m and m or ", "m", "", "", 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hostile); i++)
		assert_int_equal(parse_nested(&hostile[i], 100000, FLT_DEPTH_RULES), ERR_LIMIT);
	for (size_t i = 0; i < COUNT_OF(flat); i++)
		assert_int_equal(parse_nested(&flat[i], 10000, FLT_DEPTH_DEFAULT), 0);
}

/* --- positions --- */

static void positions_count_bytes_lines_and_columns(void **state)
{
	struct arena arena = {0};
	struct flt_node *n;
	struct flt_pos pos;
	struct error err;

	(void)state;
	assert_int_equal(
	    flt_parse(SV_LIT("a\n and\r\n (b or\n\tc.d = x)"), 100, &arena, &n, &pos, &err), 0);
	assert_int_equal(n->pos.index, 0);
	assert_int_equal(n->kids[1]->kind, FLT_OR);
	assert_int_equal(n->kids[1]->pos.index, 10);
	assert_int_equal(n->kids[1]->pos.line, 4); /* CR and LF each start a line */
	assert_int_equal(n->kids[1]->pos.column, 3);
	assert_int_equal(n->kids[1]->kids[1]->pos.line, 5);
	assert_int_equal(n->kids[1]->kids[1]->pos.column, 2);
	assert_int_equal(n->kids[1]->kids[1]->right->pos.column, 8);
	assert_int_equal(flt_parse(SV_LIT("a and\n b and"), 100, &arena, &n, &pos, &err),
			 ERR_SYNTAX);
	assert_int_equal(pos.index, 12);
	assert_int_equal(pos.line, 2);
	assert_int_equal(pos.column, 7);
	arena_done(&arena);
}

static void long_lines_are_cut_around_the_error(void **state)
{
	struct buf text = {0}, b = {0};
	struct sv line, rest;

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_lit(&text, "abcde");
	flt_error_context(&b, buf_view(&text), (struct flt_pos){250, 1, 251});
	rest = buf_view(&b);
	assert_true(next_line(&rest, &line));
	assert_int_equal(line.n, 160);
	assert_true(next_line(&rest, &line));
	assert_int_equal(line.n, 81);
	buf_reset(&b);
	flt_error_context(&b, SV_LIT("x\n\xc3\xa4\t= y"), (struct flt_pos){5, 2, 4});
	assert_string_equal(buf_cstr(&b), "\xc3\xa4\t= y\n \t^\n");
	buf_done(&text);
	buf_done(&b);
}

/* --- tokens --- */

static void bare_values_end_at_invalid_utf8(void **state)
{
	(void)state;
	assert_int_equal(parse(SV_LIT("a.b = \xc3\xa4"), 100), 0);
	assert_int_equal(parse(SV_LIT("a.b = x\xff"), 100), ERR_SYNTAX);
	assert_int_equal(parse(SV_LIT("a.b = 'x\xff'"), 100), 0);
}

static void blanks_and_spaces_differ(void **state)
{
	(void)state;
	assert_int_equal(parse(SV_LIT("not\va"), 100), 0);
	assert_int_equal(parse(SV_LIT("not\ba"), 100), ERR_SYNTAX);
	assert_int_equal(parse(SV_LIT("a\band\bb"), 100), 0);
	assert_int_equal(parse(SV_LIT("a\vand b"), 100), ERR_SYNTAX);
	assert_int_equal(parse(SV_LIT(""), 100), ERR_SYNTAX);
	assert_int_equal(parse(SV_LIT(" \n"), 100), ERR_SYNTAX);
}

static void names_and_operators_can_be_tested_alone(void **state)
{
	enum flt_modifier mod;
	enum flt_op op;

	(void)state;
	assert_true(flt_is_identifier(SV_LIT("a_1")));
	assert_false(flt_is_identifier(SV_LIT("a.b")));
	assert_false(flt_is_identifier(SV_LIT("")));
	assert_true(flt_is_bare(SV_LIT("/a*[b]")));
	assert_false(flt_is_bare(SV_LIT("a b")));
	assert_false(flt_is_bare(SV_LIT("a,b")));
	assert_true(flt_op_parse(SV_LIT("=="), &op, &mod) && op == FLT_OP_EQ &&
		    mod == FLT_MOD_NONE);
	assert_true(flt_op_parse(SV_LIT("== anyof"), &op, &mod) && op == FLT_OP_EQ &&
		    mod == FLT_MOD_ANYOF);
	assert_true(flt_op_parse(SV_LIT("startswith oneof"), &op, &mod) &&
		    op == FLT_OP_STARTSWITH && mod == FLT_MOD_ONEOF);
	assert_true(flt_op_parse(SV_LIT("in"), &op, &mod) && op == FLT_OP_IN);
	assert_false(flt_op_parse(SV_LIT("in oneof"), &op, &mod));
	assert_false(flt_op_parse(SV_LIT("startswith  oneof"), &op, &mod));
	assert_false(flt_op_parse(SV_LIT("nope"), &op, &mod));
}

static void operands_are_parsed_as_far_as_they_go(void **state)
{
	struct arena arena = {0};
	struct flt_expr *e;
	struct error err;
	size_t used;

	(void)state;
	assert_int_equal(
	    flt_parse_operand(SV_LIT("proc.aname[2] rest"), false, &arena, &e, &used, &err), 0);
	assert_int_equal(used, 13);
	assert_true(sv_is(e->text, "proc.aname") && sv_is(e->arg, "2"));
	assert_int_equal(
	    flt_parse_operand(SV_LIT("tolower(proc.name)x"), true, &arena, &e, &used, &err), 0);
	assert_int_equal(used, 18);
	assert_int_equal(
	    flt_parse_operand(SV_LIT("tolower(proc.name)"), false, &arena, &e, &used, &err),
	    ERR_SYNTAX);
	arena_done(&arena);
}

/* --- macros --- */

struct macros {
	const char *name;
	struct flt_node *body;
};

static const struct flt_node *find_macro(void *arg, const struct flt_node *macro, struct error *err)
{
	for (struct macros *m = arg; m->name; m++)
		if (sv_is(macro->name, m->name))
			return m->body;
	error_set(err, ERR_RULES, "no macro '%.*s'", (int)macro->name.n, macro->name.p);
	return NULL;
}

static void macros_are_replaced_by_copies(void **state)
{
	struct arena arena = {0}, copies = {0};
	struct macros macros[] = {{"m", NULL}, {"k", NULL}, {NULL, NULL}};
	struct flt_node *n, *resolved;
	struct buf b = {0};
	struct error err;

	(void)state;
	assert_int_equal(
	    flt_parse(SV_LIT("a.b in (x, \"y z\") or k"), 100, &arena, &macros[0].body, NULL, &err),
	    0);
	assert_int_equal(
	    flt_parse(SV_LIT("c.d[2] = tolower(e.f)"), 100, &arena, &macros[1].body, NULL, &err),
	    0);
	assert_int_equal(
	    flt_parse(SV_LIT("not m and k and g.h exists"), 100, &arena, &n, NULL, &err), 0);
	assert_int_equal(flt_resolve_macros(n, find_macro, macros, &copies, &resolved, &err), 0);
	arena_done(&arena);
	assert_true(
	    sv_is(print_node(&b, resolved),
		  "(not (a.b in (x, \"y z\") or c.d[2] = tolower(e.f)) and c.d[2] = tolower(e.f) "
		  "and g.h exists)"));
	arena_done(&copies);
	buf_done(&b);
}

static void unknown_and_endless_macros_are_errors(void **state)
{
	struct arena arena = {0};
	struct macros macros[] = {{"loop", NULL}, {"twice", NULL}, {NULL, NULL}};
	struct flt_node *n, *resolved;
	struct error err;

	(void)state;
	assert_int_equal(flt_parse(SV_LIT("not loop"), 100, &arena, &macros[0].body, NULL, &err),
			 0);
	assert_int_equal(flt_parse(SV_LIT("twice and a.b exists"), 100, &arena, &n, NULL, &err), 0);
	macros[1].body = n;
	assert_int_equal(
	    flt_resolve_macros(macros[0].body, find_macro, macros, &arena, &resolved, &err),
	    ERR_LIMIT);
	assert_int_equal(flt_resolve_macros(n, find_macro, macros, &arena, &resolved, &err),
			 ERR_LIMIT);
	assert_int_equal(flt_parse(SV_LIT("other"), 100, &arena, &n, NULL, &err), 0);
	assert_int_equal(flt_resolve_macros(n, find_macro, macros, &arena, &resolved, &err),
			 ERR_RULES);
	assert_string_equal(err.msg, "no macro 'other'");
	arena_done(&arena);
}

static void doubling_macros_hit_the_size_limit(void **state)
{
	struct arena arena = {0}, copies = {0};
	char names[40][16];
	struct macros macros[41] = {{NULL, NULL}};
	struct flt_node *resolved;
	struct error err;

	(void)state;
	for (int i = 0; i < 40; i++) {
		char text[64];

		snprintf(names[i], sizeof(names[i]), "m%d", i);
		snprintf(text, sizeof(text), i ? "m%d and m%d" : "a.b exists", i - 1, i - 1);
		macros[i].name = names[i];
		assert_int_equal(flt_parse(sv_of(text), 100, &arena, &macros[i].body, NULL, &err),
				 0);
	}
	assert_int_equal(
	    flt_resolve_macros(macros[39].body, find_macro, macros, &copies, &resolved, &err),
	    ERR_LIMIT);
	arena_done(&arena);
	arena_done(&copies);
}

static void append_name(void *arg, const struct flt_expr *field)
{
	buf_sv(arg, field->text);
	buf_char(arg, ' ');
}

static void all_fields_are_visited(void **state)
{
	struct arena arena = {0};
	struct flt_node *n;
	struct buf b = {0};
	struct error err;

	(void)state;
	assert_int_equal(
	    flt_parse(
		SV_LIT("a.b in (c.d) or not (e.f = val(g.h) and join(i.j, (k.l)) = len(m.n))"), 100,
		&arena, &n, NULL, &err),
	    0);
	flt_visit_fields(n, append_name, &b);
	assert_string_equal(buf_cstr(&b), "a.b e.f g.h i.j k.l m.n ");
	arena_done(&arena);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(conditions_print_and_fail_as_the_examples_say),
	    cmocka_unit_test(the_acceptance_samples_are_judged_as_given),
	    cmocka_unit_test(nesting_is_limited_exactly),
	    cmocka_unit_test(hostile_nesting_is_an_error_and_flat_chains_are_not),
	    cmocka_unit_test(positions_count_bytes_lines_and_columns),
	    cmocka_unit_test(long_lines_are_cut_around_the_error),
	    cmocka_unit_test(bare_values_end_at_invalid_utf8),
	    cmocka_unit_test(blanks_and_spaces_differ),
	    cmocka_unit_test(names_and_operators_can_be_tested_alone),
	    cmocka_unit_test(operands_are_parsed_as_far_as_they_go),
	    cmocka_unit_test(macros_are_replaced_by_copies),
	    cmocka_unit_test(unknown_and_endless_macros_are_errors),
	    cmocka_unit_test(doubling_macros_hit_the_size_limit),
	    cmocka_unit_test(all_fields_are_visited),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
