/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints: a restored state goes on exactly as the one that was saved. */
#include "engine/state/internal.h"
#include "engine/state/tests/world.h"
#include "scapfile/scapfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define CORPUS SOURCE_DIR "/../shared/corpus/"
#define OWN    SOURCE_DIR "/tests/captures/"

/* A capture, and after how many events its state is replaced by what a checkpoint restores. */
static const struct {
	const char *path;
	unsigned every;
} captures[] = {
    {OWN "intrusion.scap", 29},
    {OWN "network.scap", 1},
    {OWN "sessions.scap", 1},
    {OWN "uring.scap", 1},
    {CORPUS "public/sample.scap", 1},
    {CORPUS "public/curl_google.scap", 100},
    {CORPUS "public/psp_run_as_user_0_container.scap", 500},
    {CORPUS "recorded/container.scap", 3000},
    {CORPUS "recorded/persist.scap", 3000},
    {CORPUS "recorded/intrusion.scap", 3000},
};

static void save(const struct state *st, struct buf *out)
{
	struct error err = {0};

	buf_reset(out);
	if (state_save(st, out, &err) < 0)
		fail_msg("cannot save: %s", err.msg);
}

static struct state *restored(const struct buf *saved)
{
	struct error err = {0};
	struct state *st = NULL;

	if (state_restore(NULL, saved->p, saved->len, &st, &err) < 0)
		fail_msg("cannot restore: %s", err.msg);
	if (state_check(st, &err) < 0)
		fail_msg("what was restored is not whole: %s", err.msg);
	return st;
}

/* What is remembered of a thread's attributes is found by its generation. */
static void assert_generations_differ(const struct state *st)
{
	const struct state_thread *t, *o;

	for (size_t at = 0; (t = state_thread_next(st, &at));)
		for (size_t next = at; (o = state_thread_next(st, &next));)
			assert_int_not_equal(t->generation, o->generation);
}

/* Numbers that events seldom ask for: one that is not saved is missing in both copies' bytes. */
static void assert_same_numbers(const struct state_thread *t, const struct state_thread *o)
{
	const int64_t want[] = {t->reaper_tid, t->had_children, t->cmdline_cached, t->exec_count,
				t->vpgid,      t->sid,		t->fdlimit,	   t->tty,
				t->loginuid,   t->pfminor,	t->lastevent_fd,   t->vmswap_kb};
	const int64_t got[] = {o->reaper_tid, o->had_children, o->cmdline_cached, o->exec_count,
			       o->vpgid,      o->sid,	       o->fdlimit,	  o->tty,
			       o->loginuid,   o->pfminor,      o->lastevent_fd,	  o->vmswap_kb};

	assert_memory_equal(want, got, sizeof(want));
}

static void assert_same(const struct state *a, const struct state *b)
{
	const struct state_thread *t;
	struct buf x = {0}, y = {0};

	for (size_t at = 0; (t = state_thread_next(a, &at));)
		assert_same_numbers(t, state_thread_find(b, t->tid));

	save(a, &x);
	save(b, &y);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.p, y.p, x.len);
	buf_done(&x);
	buf_done(&y);
}

static void assert_same_binding(const struct state_binding *a, const struct state_binding *b)
{
	assert_int_equal(!a->thread, !b->thread);
	assert_int_equal(!a->fd, !b->fd);
	assert_int_equal(a->errcode, b->errcode);
	assert_int_equal(a->visible, b->visible);
	assert_int_equal(a->fd_name_changed, b->fd_name_changed);
	if (a->thread)
		assert_int_equal(a->thread->tid, b->thread->tid);
	if (a->fd)
		assert_true(sv_eq(state_sv(a->fd->name), state_sv(b->fd->name)));
}

/* Two states beside each other: one is replaced by its own checkpoint again and again. */
static void replay(const char *path, unsigned every)
{
	struct state *serial, *other;
	struct state_binding a, b;
	struct sf_reader *reader;
	struct ev_source *source;
	struct error err = {0};
	struct buf saved = {0};
	struct ev_item item;
	int rc;

	assert_int_equal(sf_reader_open(path, NULL, &reader, &err), 0);
	source = sf_reader_source(reader);
	assert_int_equal(state_new(NULL, &serial, NULL), 0);
	assert_int_equal(state_new(NULL, &other, NULL), 0);
	while (ev_source_next(source, &item, &err) == 1) {
		rc = state_feed(serial, &item, &a, NULL);
		assert_int_equal(state_feed(other, &item, &b, NULL), rc);
		if (rc != 1)
			continue;
		assert_same_binding(&a, &b);
		if (!state_is_complete(other) || state_stats(other)->events % every)
			continue;
		save(other, &saved);
		state_free(other);
		other = restored(&saved);
		assert_generations_differ(other);
		if (every == 1)
			assert_same(serial, other);
	}
	assert_same(serial, other);
	state_free(serial);
	state_free(other);
	ev_source_close(source);
	buf_done(&saved);
}

static void replaying_from_any_checkpoint_gives_the_state_of_a_serial_replay(void **arg)
{
	(void)arg;
	for (size_t i = 0; i < COUNT_OF(captures); i++)
		if (access(captures[i].path, R_OK) == 0)
			replay(captures[i].path, captures[i].every);
}

static unsigned occurrences(const struct buf *b, const char *what)
{
	const char *p = b->p, *end = b->p + b->len;
	unsigned n = 0;

	while ((p = memmem(p, (size_t)(end - p), what, strlen(what)))) {
		p++;
		n++;
	}
	return n;
}

static void texts_are_written_once(void **arg)
{
	struct buf saved = {0};
	struct world w;

	(void)arg;
	world_init_base(&w);
	for (int64_t num = 10; num < 20; num++)
		world_file(&w, 1, num, "/a/path/that/is/rather/long");
	state_complete(w.st);
	save(w.st, &saved);
	assert_int_equal(occurrences(&saved, "rather"), 1);
	world_done(&w);
	buf_done(&saved);
}

static void a_state_that_is_not_complete_is_not_saved(void **arg)
{
	struct error err = {0};
	struct buf out = {0};
	struct state *st;

	(void)arg;
	assert_int_equal(state_new(NULL, &st, NULL), 0);
	assert_int_equal(state_save(st, &out, &err), ERR_USAGE);
	assert_int_equal(out.len, 0);
	state_free(st);
}

static void containers_can_be_left_out_but_not_made_up(void **arg)
{
	const struct state_options bare = {.no_containers = true};
	struct error err = {0};
	struct buf saved = {0}, again = {0};
	struct state *st = NULL, *second = NULL;
	struct world w;

	(void)arg;
	world_init_base(&w);
	state_complete(w.st);
	state_str_set(w.st, &state_thread_find(w.st, 1)->container_id, SV_LIT("0123456789ab"));
	save(w.st, &saved);
	assert_int_equal(state_restore(&bare, saved.p, saved.len, &st, &err), 0);
	assert_null(state_thread_find(st, 1)->container_id);
	assert_int_equal(state_check(st, &err), 0);
	save(st, &again);
	assert_int_equal(state_restore(NULL, again.p, again.len, &second, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "other options"));
	assert_null(second);
	state_free(st);
	world_done(&w);
	buf_done(&saved);
	buf_done(&again);
}

/* Each cut, and each byte changed: refused, or a state that can be used. */
static void damage_is_refused_or_harmless(void **arg)
{
	struct error err = {0};
	struct buf saved = {0};
	struct state *st;
	struct world w;

	(void)arg;
	world_with_21(&w);
	world_file(&w, 1, 5, "/etc/passwd");
	state_complete(w.st);
	save(w.st, &saved);
	world_done(&w);
	for (size_t n = 0; n < saved.len; n++)
		assert_int_equal(state_restore(NULL, saved.p, n, &st, &err), ERR_FORMAT);
	for (size_t at = 0; at < saved.len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			saved.p[at] = (char)(saved.p[at] ^ 1 << bit);
			if (state_restore(NULL, saved.p, saved.len, &st, &err) == 0)
				state_free(st);
			saved.p[at] = (char)(saved.p[at] ^ 1 << bit);
		}
	}
	buf_done(&saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(replaying_from_any_checkpoint_gives_the_state_of_a_serial_replay),
	    cmocka_unit_test(texts_are_written_once),
	    cmocka_unit_test(a_state_that_is_not_complete_is_not_saved),
	    cmocka_unit_test(containers_can_be_left_out_but_not_made_up),
	    cmocka_unit_test(damage_is_refused_or_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
