/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asserting what formats show of the last event of a world: a machine like the one the samples in
 * the field reference were made on. systemd(1) > sshd(3199) > bash(3200), which runs in
 * /home/ubuntu/.
 */
#ifndef ENGINE_FILTER_TESTS_SHOW_H
#define ENGINE_FILTER_TESTS_SHOW_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/filter/filter.h"
#include "engine/state/tests/world.h"

static inline void show_thread(struct world *w, int64_t tid, int64_t ptid, const char *comm,
			       struct sv args)
{
	struct ev_thread_entry t = world_entry(tid, tid, ptid);

	t.comm = t.exe = sv_of(comm);
	t.exepath = SV_LIT("/bin/x");
	t.cwd = SV_LIT("/home/ubuntu/");
	t.args = args;
	t.env = SV_LIT("HOME=/h\0PATH=/bin\0EMPTY=\0");
	t.cgroups = SV_LIT("cpu=/a\0memory=/b\0");
	t.fdlimit = 1024;
	t.uid = 1000;
	t.gid = 5;
	t.sid = t.vpgid = t.pgid = 3199;
	world_add(w, &t);
}

static inline void show_users(struct world *w)
{
	struct ev_user u = {.uid = 1000,
			    .gid = 1000,
			    .name = SV_LIT("ubuntu"),
			    .home = SV_LIT("/home/ubuntu"),
			    .shell = SV_LIT("/bin/sh")};
	struct ev_user g = {.gid = 5, .name = SV_LIT("games")};
	struct ev_interface lo = {.name = SV_LIT("lo"), .addr = {127, 0, 0, 1}};

	world_item(w, &(struct ev_item){.kind = EV_ITEM_USER, .user = &u});
	world_item(w, &(struct ev_item){.kind = EV_ITEM_GROUP, .user = &g});
	world_item(w, &(struct ev_item){.kind = EV_ITEM_INTERFACE, .interface = &lo});
}

static inline void show_init(struct world *w)
{
	world_init(w, NULL);
	show_users(w);
	show_thread(w, 1, 0, "systemd", SV_LIT(""));
	show_thread(w, 3199, 1, "sshd", SV_LIT("-D\0"));
	show_thread(w, 3200, 3199, "bash", SV_LIT("-l\0"));
	world_file(w, 3200, 3, "/etc/ld.so.cache");
	world_tick(w);
}

/* A test that gets such a world as its state. */
#define SHOW_TEST(f) cmocka_unit_test_setup_teardown((f), show_setup, show_teardown)

static inline int show_setup(void **state)
{
	static struct world world;

	*state = &world;
	show_init(&world);
	return 0;
}

static inline int show_teardown(void **state)
{
	world_done(*state);
	return 0;
}

/* What @format makes of the last event; @json: the object instead of the text. The caller frees it.
 */
static inline struct buf shown(struct world *w, const struct flt_options *opt, const char *format,
			       bool json)
{
	struct flt_program *p;
	struct flt_format *f;
	struct error err = {0};
	struct buf out = {0};
	struct flt_ctx *cx;
	bool present;

	assert_int_equal(flt_program_new(opt, &p, NULL), 0);
	if (flt_format_new(p, sv_of(format), &f, &err) < 0)
		fail_msg("'%s': %s", format, err.msg);
	assert_int_equal(flt_program_seal(p, NULL), 0);
	assert_int_equal(flt_ctx_new(p, w->st, &cx, NULL), 0);
	flt_ctx_event(cx, &w->bind);
	buf_lit(&out, "kept ");
	present = json ? flt_format_json(cx, f, &out) >= 0 : flt_format_text(cx, f, &out);
	if (!present)
		buf_lit(&out, "(suppressed)");
	buf_cstr(&out);
	flt_ctx_free(cx);
	flt_program_free(p);
	return out;
}

static inline void show_check(struct world *w, const struct flt_options *opt, const char *format,
			      bool json, const char *expected, const char *file, int line)
{
	struct buf out = shown(w, opt, format, json);
	bool same = strcmp(out.p + strlen("kept "), expected) == 0;

	if (!same)
		print_error("%s:%d: '%s'\n  shows %s\n  not   %s\n", file, line, format,
			    out.p + strlen("kept "), expected);
	buf_done(&out);
	assert_true(same);
}

#define assert_shows(w, format, expected)                                                          \
	show_check((w), NULL, (format), false, (expected), __FILE__, __LINE__)
#define assert_shows_with(w, opt, format, expected)                                                \
	show_check((w), (opt), (format), false, (expected), __FILE__, __LINE__)
#define assert_json(w, format, expected)                                                           \
	show_check((w), NULL, (format), true, (expected), __FILE__, __LINE__)
#define assert_args(w, expected) assert_shows((w), "%evt.args", (expected))

#endif
