/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/filter/fields.h"

static const struct flt_static statics[] = {{"site", "lab"}, {NULL, NULL}};
static const struct flt_options options = {.statics = statics};

/* Resolve "name" or "name[arg]". */
static int resolve(struct arena *arena, const char *text, struct flt_field **f, struct error *err)
{
	const char *open = strchr(text, '[');
	struct sv name = open ? sv_make(text, (size_t)(open - text)) : sv_of(text);
	struct sv arg = open ? sv_make(open + 1, strlen(open) - 2) : SV_NONE;

	return flt_field_resolve(&options, arena, name, open != NULL, arg, FLT_FOR_FILTER, f, err);
}

static void the_table_is_complete_and_in_order(void **state)
{
	(void)state;
	assert_true(flt_field_count > 250);
	for (size_t i = 0; i < flt_field_count; i++) {
		const struct flt_field_info *f = &flt_field_table[i];

		assert_non_null(strchr(f->name, '.'));
		assert_true(f->help[0] != '\0' && f->cls[0] != '\0');
		assert_true((f->arg == FLT_ARG_NONE) == (f->arg_help[0] == '\0'));
		assert_true(f->type < PT_COUNT && f->type != PT_NONE);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(f->name, flt_field_table[k].name);
	}
}

static void every_row_is_found_by_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < flt_field_count; i++) {
		const struct flt_field_info *f = &flt_field_table[i];

		assert_ptr_equal(flt_field_find(sv_of(f->name)),
				 f->arg == FLT_ARG_REQUIRED ? NULL : f);
	}
}

static void arguments_take_the_forms_of_their_fields(void **state)
{
	static const struct {
		const char *text, *row; /* no row: nothing of that name */
	} rows[] = {
	    {"proc.aname[2]", "proc.aname"},
	    {"proc.aname[x]", NULL},
	    {"proc.aname[-1]", NULL},
	    {"proc.aname[1.5]", NULL},
	    {"proc.aname[]", NULL},
	    {"proc.aname[99999999999999999999]", NULL},
	    {"proc.name[1]", NULL},
	    {"proc.args[0]", "proc.args"},
	    {"proc.env[HOME]", "proc.env"},
	    {"proc.env[\"A B\"]", "proc.env"},
	    {"proc.env[0]", "proc.env"},
	    {"proc.env[HOME", NULL},
	    {"evt.arg.fd", "evt.arg"},
	    {"evt.arg[0]", "evt.arg"},
	    {"evt.arg[-1]", NULL},
	    {"evt.arg[fd]", NULL},
	    {"evt.arg.nosuch", NULL},
	    {"evt.arg.fd[0]", NULL},
	    {"evt.arg.fd.x", NULL},
	    {"evt.rawarg.flags", "evt.rawarg"},
	    {"evt.rawarg[0]", NULL},
	    {"evt.around[1700000000000000000]", "evt.around"},
	    {"evt.around[x]", NULL},
	    {"evt.abspath", "evt.abspath"},
	    {"evt.abspath.src", "evt.abspath"},
	    {"evt.abspath.dst", "evt.abspath"},
	    {"evt.abspath.other", NULL},
	    {"evt.abspath[0]", NULL},
	    {"evt.type.is.open", "evt.type.is"},
	    {"evt.type.is.nosuch", NULL},
	    {"evt.type.is.NA", NULL},
	    {"thread.cgroup.net_cls", "thread.cgroup"},
	    {"thread.cgroup.cpu1", NULL},
	    {"thread.cgroup[cpu]", NULL},
	    {"fd.types[3]", "fd.types"},
	    {"container.label[a.b/c]", "container.label"},
	    {"container.label[12]", "container.label"},
	    {"container.mount[0]", "container.mount"},
	    {"container.mount.source[^/var]", "container.mount.source"},
	    {"proc.nam", NULL},
	    {"proc.namex", NULL},
	    {"proc.name.", NULL},
	    {".name", NULL},
	    {"", NULL},
	    {"[", NULL},
	    {"]", NULL},
	    {"proc.aname]", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct flt_field_info *f = flt_field_find(sv_of(rows[i].text));

		if (rows[i].row ? !f || strcmp(f->name, rows[i].row) != 0 : f != NULL)
			fail_msg("'%s' is %s, not %s", rows[i].text, f ? f->name : "nothing",
				 rows[i].row ? rows[i].row : "nothing");
	}
}

static void finding_and_resolving_agree(void **state)
{
	static const char *const texts[] = {"proc.aname[2]",  "proc.aname[x]", "evt.arg.fd",
					    "evt.arg.nosuch", "proc.env[A]",   "evt.arg",
					    "evt.rawarg.res", "proc.name",     "proc.name[1]"};
	struct arena arena = {0};
	struct flt_field *f;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_int_equal(resolve(&arena, texts[i], &f, NULL) == 0,
				 flt_field_find(sv_of(texts[i])) != NULL);
	arena_done(&arena);
}

static void instances_know_argument_type_and_printed_form(void **state)
{
	struct arena arena = {0};
	struct flt_field *f;

	(void)state;
	assert_int_equal(resolve(&arena, "proc.aname[2]", &f, NULL), 0);
	assert_true(f->arg_is_index && f->index == 2);
	assert_true(sv_is(f->text, "proc.aname[2]"));
	assert_int_equal(resolve(&arena, "proc.env[A B]", &f, NULL), 0);
	assert_true(!f->arg_is_index && sv_is(f->arg, "A B"));
	assert_true(sv_is(f->text, "proc.env[\"A B\"]"));
	assert_int_equal(resolve(&arena, "evt.rawarg.res", &f, NULL), 0);
	assert_int_equal(f->type, PT_ERRNO);
	assert_true(sv_is(f->text, "evt.rawarg.res"));
	assert_int_equal(resolve(&arena, "evt.rawarg.flags", &f, NULL), 0);
	assert_int_equal(f->type, PT_FLAGS32);
	assert_int_equal(f->format, PF_HEX);
	assert_int_equal(resolve(&arena, "evt.rawarg.name", &f, NULL), 0);
	assert_int_equal(f->type, PT_FSPATH);
	assert_int_equal(resolve(&arena, "fd.types", &f, NULL), 0);
	assert_true(f->is_list);
	assert_int_equal(resolve(&arena, "static.site", &f, NULL), 0);
	assert_string_equal(f->info->name, "static.site");
	assert_int_equal(f->info->flags, FLT_FIELD_SUGGESTED);
	arena_done(&arena);
}

static void errors_name_the_field_and_what_it_needs(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
	    {"foo.bar", "nonexistent field foo.bar"},
	    {"foo.bar[x]", "nonexistent field foo.bar[x]"},
	    {"static.other", "nonexistent field static.other"},
	    {"evt.nun", "nonexistent field evt.nun; did you mean evt.num?"},
	    {"proc.nmae", "nonexistent field proc.nmae; did you mean proc.name?"},
	    {"proc.anmae[2]", "nonexistent field proc.anmae[2]; did you mean proc.aname?"},
	    {"proc.cmdlin", "nonexistent field proc.cmdlin; did you mean proc.cmdline?"},
	    {"fd.namee", "nonexistent field fd.namee; did you mean fd.name?"},
	    {"fd", "nonexistent field fd"},
	    {"proc.nothing.like.it.at.all", "nonexistent field proc.nothing.like.it.at.all"},
	    {"proc.name[1]", "nonexistent field proc.name[1]: it takes no argument"},
	    {"evt.arg", "nonexistent field evt.arg: it needs .NAME or [N] of a parameter"},
	    {"container.label", "nonexistent field container.label: it needs a key, [KEY]"},
	    {"container.mount[(]", "bad regular expression in container.mount[(]: "},
	};
	struct arena arena = {0};
	struct flt_field *f;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(resolve(&arena, rows[i].text, &f, &err), ERR_COMPILE);
		/* What a bad regular expression ends in is the library's word. */
		if (strncmp(err.msg, rows[i].message, strlen(rows[i].message)) != 0 ||
		    (strlen(err.msg) != strlen(rows[i].message) &&
		     !sv_ends(sv_of(rows[i].message), SV_LIT(": "))))
			fail_msg("'%s', not '%s'", err.msg, rows[i].message);
	}
	arena_done(&arena);
}

static void a_mount_pattern_is_freed_with_its_field(void **state)
{
	struct arena arena = {0};
	struct flt_field *f;

	(void)state;
	assert_int_equal(resolve(&arena, "container.mount[^/var]", &f, NULL), 0);
	assert_non_null(f->data);
	flt_field_done(f);
	assert_int_equal(resolve(&arena, "container.mount[3]", &f, NULL), 0);
	assert_null(f->data);
	flt_field_done(f);
	arena_done(&arena);
}

static void only_differences_and_counters_are_stateful(void **state)
{
	struct arena arena = {0};
	struct flt_field *f;
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; i < flt_field_count; i++) {
		if (flt_field_table[i].arg == FLT_ARG_REQUIRED)
			continue;
		assert_int_equal(resolve(&arena, flt_field_table[i].name, &f, NULL), 0);
		n += flt_field_is_stateful(f);
		if (flt_field_is_stateful(f))
			assert_false(f->info->flags & (FLT_FIELD_PROCESS | FLT_FIELD_TYPE_ONLY));
	}
	assert_int_equal(n, 9); /* 3 deltatime, 3 cpu, 2 exectime, cnt */
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_table_is_complete_and_in_order),
	    cmocka_unit_test(every_row_is_found_by_its_name),
	    cmocka_unit_test(arguments_take_the_forms_of_their_fields),
	    cmocka_unit_test(finding_and_resolving_agree),
	    cmocka_unit_test(instances_know_argument_type_and_printed_form),
	    cmocka_unit_test(errors_name_the_field_and_what_it_needs),
	    cmocka_unit_test(a_mount_pattern_is_freed_with_its_field),
	    cmocka_unit_test(only_differences_and_counters_are_stateful),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
