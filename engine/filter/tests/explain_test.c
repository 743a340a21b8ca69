/* SPDX-License-Identifier: Apache-2.0 */
/* What is found about single checks: truth, reason, value, the constant that decided. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/filter/explain.h"
#include "engine/filter/tests/scene.h"

struct row { /* a check on an event of the scene */
	const char *event, *check;
	enum flt_truth truth;
	enum flt_reason reason;
	int32_t item;
	const char *left, *right; /* NULL: none */
};

static const struct row rows[] = {
    {"openat", "proc.name = cat", FLT_YES, FLT_BY_VALUE, -1, "cat", NULL},
    {"openat", "proc.name = dog", FLT_NO, FLT_BY_VALUE, -1, "cat", NULL},
    {"openat", "proc.name exists", FLT_YES, FLT_BY_VALUE, -1, "cat", NULL},
    {"openat", "proc.name in (dog, cat, cat)", FLT_YES, FLT_BY_VALUE, 1, "cat", NULL},
    {"openat", "proc.name in (dog, cow)", FLT_NO, FLT_BY_VALUE, -1, "cat", NULL},
    {"openat", "proc.cmdline contains anyof (zzz, hello)", FLT_YES, FLT_BY_VALUE, 1,
     "cat -n -t hello /etc/passwd", NULL},
    {"openat", "proc.cmdline contains allof (hello, zzz)", FLT_NO, FLT_BY_VALUE, 1,
     "cat -n -t hello /etc/passwd", NULL},
    {"openat", "proc.pid in (7, 101)", FLT_YES, FLT_BY_VALUE, 1, "101", NULL},
    {"openat", "proc.aname in (x, sshd)", FLT_YES, FLT_BY_VALUE, 1, "(bash,sshd,systemd)", NULL},
    /* only the case differs */
    {"openat", "proc.name = CAT", FLT_NO, FLT_BY_CASE, -1, "cat", NULL},
    {"openat", "proc.name in (DOG, Cat)", FLT_NO, FLT_BY_CASE, -1, "cat", NULL},
    {"openat", "proc.cmdline contains HELLO", FLT_NO, FLT_BY_CASE, -1,
     "cat -n -t hello /etc/passwd", NULL},
    {"openat", "proc.exepath pmatch (/BIN)", FLT_NO, FLT_BY_CASE, -1, "/bin/cat", NULL},
    {"openat", "proc.name != cat", FLT_NO, FLT_BY_VALUE, -1, "cat", NULL},
    /* no value */
    {"openat", "proc.aname[9] = x", FLT_GONE, FLT_BY_ABSENCE, -1, NULL, NULL},
    {"stranger", "proc.name = x", FLT_NO, FLT_BY_PROCESS, -1, "<NA>", NULL},
    {"stranger", "proc.pname = x", FLT_GONE, FLT_BY_PROCESS, -1, NULL, NULL},
    {"stranger", "evt.buffer contains x", FLT_GONE, FLT_BY_ABSENCE, -1, NULL, NULL},
    {"kill", "fd.name = x", FLT_GONE, FLT_BY_EVENT, -1, NULL, NULL},
    {"kill", "evt.rawarg.mode = 1", FLT_GONE, FLT_BY_EVENT, -1, NULL, NULL},
    {"read-file", "fd.sport = 1", FLT_GONE, FLT_BY_ABSENCE, -1, NULL, NULL},
    /* another field on the right */
    {"openat", "proc.name = val(proc.pname)", FLT_NO, FLT_BY_VALUE, -1, "cat", "bash"},
    {"openat", "proc.name = val(fs.path.target)", FLT_GONE, FLT_BY_RIGHT, -1, "cat", NULL},
    /* of another type than elsewhere */
    {"mount", "evt.rawarg.dev > 4", FLT_YES, FLT_BY_VALUE, -1, "5", NULL},
    {"mount", "evt.rawarg.dev > 9", FLT_NO, FLT_BY_TYPE, -1, "5", NULL},
};

/* The scene's event of that name, looked at by @cx. */
static void go_to(struct scene *sc, struct flt_ctx *cx, const char *event)
{
	const char *name;

	while ((name = scene_next(sc)) != NULL) {
		flt_ctx_event(cx, &sc->bind);
		if (strcmp(name, event) == 0)
			return;
	}
	fail_msg("no event %s", event);
}

static bool same(struct sv got, const char *want)
{
	return want ? got.p && sv_is(got, want) : !got.p;
}

static void expect_row(const struct row *r, const struct flt_finding *f)
{
	if (f->truth != r->truth || f->reason != r->reason || f->item != r->item ||
	    !same(f->left, r->left) || !same(f->right, r->right))
		fail_msg("%s, %s: truth %d, %s, item %d, left '%.*s', right '%.*s'", r->event,
			 r->check, f->truth, flt_reason_name(f->reason), f->item, (int)f->left.n,
			 f->left.p ? f->left.p : "", (int)f->right.n, f->right.p ? f->right.p : "");
}

struct subject { /* one condition */
	struct flt_program *p;
	unsigned id;
};

static struct subject compile(const char *text)
{
	struct arena arena = {0};
	struct subject s = {NULL, 0};
	struct flt_node *n;
	struct error err;

	assert_int_equal(flt_program_new(NULL, &s.p, NULL), 0);
	if (flt_parse(sv_of(text), FLT_DEPTH_DEFAULT, &arena, &n, NULL, &err) < 0 ||
	    flt_program_add(s.p, n, NULL, NULL, &s.id, NULL, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	assert_int_equal(flt_program_seal(s.p, NULL), 0);
	arena_done(&arena);
	return s;
}

static void each_check_is_told_with_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct subject s = compile(rows[i].check);
		const struct flt_finding *f;
		struct flt_explainer *x;
		struct flt_ctx *cx;
		struct scene sc;
		bool holds;

		scene_open(&sc);
		assert_int_equal(flt_ctx_new(s.p, sc.st, &cx, NULL), 0);
		assert_int_equal(flt_explainer_new(cx, s.id, &x, NULL), 0);
		go_to(&sc, cx, rows[i].event);
		holds = flt_explain(x, FLT_VALUES, &f);
		expect_row(&rows[i], f);
		assert_int_equal(holds, rows[i].truth == FLT_YES);
		assert_int_equal(flt_explain(x, FLT_ITEMS, &f), rows[i].truth == FLT_YES);
		assert_int_equal(f->item, rows[i].item);
		assert_null(f->left.p);
		flt_explainer_free(x);
		flt_ctx_free(cx);
		scene_close(&sc);
		flt_program_free(s.p);
	}
}

/* What remembers when it was asked is asked where a replay would, and there alone. */
static void fields_with_memory_are_not_asked_in_vain(void **state)
{
	struct subject s = compile("evt.num > 1 and evt.count > 0 and util.cnt = 2");
	const struct flt_finding *f;
	struct flt_explainer *x;
	struct flt_ctx *cx;
	struct scene sc;

	(void)state;
	scene_open(&sc);
	assert_int_equal(flt_ctx_new(s.p, sc.st, &cx, NULL), 0);
	assert_int_equal(flt_explainer_new(cx, s.id, &x, NULL), 0);
	assert_true(flt_explainer_has_memory(x));
	for (unsigned i = 0; scene_next(&sc); i++) {
		bool fast;

		flt_ctx_event(cx, &sc.bind);
		fast = flt_match(cx, s.id);
		assert_int_equal(flt_explain(x, FLT_VALUES, &f), fast);
		assert_int_equal(f[2].truth == FLT_UNASKED, f[0].truth != FLT_YES);
	}
	flt_explainer_free(x);
	flt_ctx_free(cx);
	scene_close(&sc);
	flt_program_free(s.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_check_is_told_with_its_reason),
	    cmocka_unit_test(fields_with_memory_are_not_asked_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
