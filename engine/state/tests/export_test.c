/* SPDX-License-Identifier: Apache-2.0 */
/* The state as a capture's beginning: a state that takes it goes on as the one it was taken from.
 */
#include "engine/state/export.h"
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

/* A capture; its state is compared each @every events, and goes on beside the original @runs times.
 */
static const struct {
	const char *path;
	unsigned every, runs;
} captures[] = {
    {OWN "intrusion.scap", 37, 5},
    {OWN "network.scap", 1, 20},
    {OWN "sessions.scap", 5, 20},
    {OWN "uring.scap", 1, 20},
    {CORPUS "public/sample.scap", 1, 20},
    {CORPUS "public/connect_localhost.scap", 50, 5},
    {CORPUS "public/single_ipv6_conn.scap", 50, 5},
    {CORPUS "public/curl_google.scap", 100, 5},
    {CORPUS "public/psp_run_as_user_0_container.scap", 400, 5},
    {CORPUS "recorded/build.scap", 900, 5},
    {CORPUS "recorded/container.scap", 900, 5},
    {CORPUS "recorded/persist.scap", 900, 5},
    {CORPUS "recorded/intrusion.scap", 900, 5},
    {CORPUS "recorded/network.scap", 20, 5},
};

/* --- export and import --- */

static int feed_item(void *arg, const struct ev_item *item, struct error *err)
{
	struct state_binding bind;
	int rc = state_feed(arg, item, &bind, err);

	return rc < 0 ? rc : 0;
}

static struct state *imported(const struct state *st,
			      enum state_part (*part)(void *arg, const struct state_thread *t))
{
	struct error err = {0};
	struct state_export x = {.part = part, .put = feed_item, .ts = state_stats(st)->last_ts};
	struct state *out;

	assert_int_equal(state_new(NULL, &out, NULL), 0);
	x.arg = out;
	if (state_export(st, &x, &err) < 0)
		fail_msg("cannot export: %s", err.msg);
	state_complete(out);
	if (state_check(out, &err) < 0)
		fail_msg("what was imported is not whole: %s", err.msg);
	return out;
}

/* --- what export.h says is not the same --- */

static int by_tid(const void *a, const void *b)
{
	const struct state_thread *x = *(struct state_thread *const *)a;
	const struct state_thread *y = *(struct state_thread *const *)b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

/* The threads of a group in order of their ids, the main one first, as lists make them. */
static void order_group(struct state_group *g)
{
	struct state_thread *all[4096], *t;
	size_t n = 0;

	for (t = g->first; t && n < COUNT_OF(all); t = t->group_next)
		all[n++] = t;
	qsort(all, n, sizeof(*all), by_tid);
	for (size_t i = 1; i < n && !state_is_main(all[0]); i++) {
		t = all[0];
		all[0] = all[i];
		all[i] = t;
	}
	for (size_t i = 0; i < n; i++) {
		all[i]->group_prev = i ? all[i - 1] : NULL;
		all[i]->group_next = i + 1 < n ? all[i + 1] : NULL;
	}
	g->first = all[0];
	g->last = all[n - 1];
}

static void order_children(struct state_thread *parent)
{
	struct state_thread *all[4096], *t;
	size_t n = 0;

	for (t = parent->first_child; t && n < COUNT_OF(all); t = t->next_sibling)
		all[n++] = t;
	qsort(all, n, sizeof(*all), by_tid);
	for (size_t i = 0; i < n; i++) {
		all[i]->prev_sibling = i ? all[i - 1] : NULL;
		all[i]->next_sibling = i + 1 < n ? all[i + 1] : NULL;
	}
	parent->first_child = n ? all[0] : NULL;
}

static void forget_fd(struct state *st, struct state_fd *fd)
{
	if (!fd)
		return;
	fd->mark = 0;
	state_str_share(st, &fd->old_name, NULL); /* made anew when the descriptor is looked up */
}

static void forget_fds(struct state *st, struct state_fds *table)
{
	for (uint32_t i = 0; table && i < table->direct_cap; i++)
		forget_fd(st, table->direct[i]);
	for (uint32_t i = 0; table && i < table->far_count; i++)
		forget_fd(st, table->far[i]);
}

static void level(struct state *st)
{
	struct state_thread *t;

	for (size_t at = 0; (t = state_thread_next(st, &at));) {
		t->generation = t->main_generation = 0;
		if (t->group && t->group->first == t)
			order_group(t->group);
		order_children(t);
		forget_fds(st, t->fds);
	}
	st->generation = 0;
	st->pending_tid = st->pending_fd_tid = st->pending_fd = 0; /* of what is done */
	st->stats = (struct state_stats){0};
	memset(st->server_ports, 0, sizeof(st->server_ports));
	memset(&st->exited, 0, sizeof(st->exited));
	state_container_unref(st, st->last_container);
	st->last_container = NULL;
}

/* --- comparing --- */

static void save(const struct state *st, struct buf *out)
{
	struct error err = {0};

	buf_reset(out);
	if (state_save(st, out, &err) < 0)
		fail_msg("cannot save: %s", err.msg);
}

/* A copy to be levelled. */
static struct state *copy_of(const struct state *st)
{
	struct buf saved = {0};
	struct state *out = NULL;

	save(st, &saved);
	assert_int_equal(state_restore(NULL, saved.p, saved.len, &out, NULL), 0);
	buf_done(&saved);
	return out;
}

/* For people: what the bytes of a state do not tell. */
static void describe_thread(struct buf *b, const struct state_thread *t)
{
	struct state_fd *fd;

	buf_addf(b, "thread %lld pid %lld ptid %lld flags %x comm '%s' exe '%s' cmdline '%s'%d\n",
		 (long long)t->tid, (long long)t->pid, (long long)t->ptid, t->flags,
		 state_sv(t->comm).p, state_sv(t->exe).p, state_sv(t->cmdline).p,
		 t->cmdline_cached);
	buf_addf(b, " exepath '%s' root '%s' cwd '%s' container '%s' %u\n", state_sv(t->exepath).p,
		 state_sv(t->root).p, state_sv(t->cwd).p, state_sv(t->container_id).p,
		 t->container_category);
	buf_addf(b, " last %llu %llu %u %lld clone %llu exec %llu %u reaper %lld had %d\n",
		 (unsigned long long)t->lastevent_ts, (unsigned long long)t->prevevent_ts,
		 t->lastevent_type, (long long)t->lastevent_fd, (unsigned long long)t->clone_ts,
		 (unsigned long long)t->lastexec_ts, t->exec_count, (long long)t->reaper_tid,
		 t->had_children);
	buf_addf(
	    b,
	    " args %u env %u cgroups %u ids %u %u %u sid %lld vpgid %lld pgid %lld v %lld %lld\n",
	    t->args.count, t->env.count, t->cgroups.count, t->uid, t->gid, t->loginuid,
	    (long long)t->sid, (long long)t->vpgid, (long long)t->pgid, (long long)t->vtid,
	    (long long)t->vpid);
	if (t->group)
		buf_addf(b, " group alive %llu reaper %d listed %d\n",
			 (unsigned long long)t->group->alive, t->group->reaper, t->group->listed);
	buf_addf(b, " parent %lld\n", (long long)(t->linked_parent ? t->linked_parent->tid : -1));
	for (size_t at = 0; (fd = state_fd_next(t, &at));)
		buf_addf(b, " fd %lld type %d flags %x open %x dev %x ino %llu '%s' raw '%s'\n",
			 (long long)fd->num, fd->type, fd->flags, fd->openflags, fd->dev,
			 (unsigned long long)fd->ino, state_sv(fd->name).p,
			 state_sv(fd->name_raw).p);
}

static void describe(struct buf *b, const struct state *st)
{
	struct map_slot *all = map_sorted(&st->threads);
	const struct state_container *c;

	buf_addf(b, "cpus %u users %zu %zu spaces %zu interfaces %u %u hashes %zu\n",
		 st->machine.num_cpus, st->host.users.count, st->host.groups.count,
		 st->user_spaces.count, st->ipv4.count, st->ipv6.count, st->exe_hashes.count);
	for (size_t at = 0; (c = state_container_next(st, &at));)
		buf_addf(b, "container %u '%s' '%s'\n", c->type, state_sv(c->id).p,
			 state_sv(c->name).p);
	for (size_t i = 0; i < st->threads.count; i++)
		describe_thread(b, all[i].value);
	free(all);
}

static void tell_difference(const struct state *a, const struct state *b)
{
	struct buf x = {0}, y = {0};
	char *want, *got, *p, *q;

	describe(&x, a);
	describe(&y, b);
	buf_cstr(&x);
	buf_cstr(&y);
	want = x.p;
	got = y.p;
	while ((p = strsep(&want, "\n")) && (q = strsep(&got, "\n")))
		if (strcmp(p, q) != 0)
			print_error("want %s\ngot  %s\n", p, q);
	buf_done(&x);
	buf_done(&y);
}

static void assert_alike(const struct state *a, const struct state *b, const char *where,
			 uint64_t num)
{
	struct state *x = copy_of(a), *y = copy_of(b);
	struct buf want = {0}, got = {0};

	level(x);
	level(y);
	save(x, &want);
	save(y, &got);
	if (want.len != got.len || memcmp(want.p, got.p, want.len) != 0) {
		tell_difference(x, y);
		fail_msg("%s, event %llu: another state", where, (unsigned long long)num);
	}
	state_free(x);
	state_free(y);
	buf_done(&want);
	buf_done(&got);
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

/* --- captures --- */

static uint64_t count_events(const char *path, unsigned every)
{
	struct sf_reader *reader;
	struct state_binding bind;
	struct ev_item item;
	struct state *st, *other;
	uint64_t n;

	assert_int_equal(sf_reader_open(path, NULL, &reader, NULL), 0);
	assert_int_equal(state_new(NULL, &st, NULL), 0);
	while (ev_source_next(sf_reader_source(reader), &item, NULL) == 1) {
		if (state_feed(st, &item, &bind, NULL) != 1 || !state_is_complete(st) ||
		    state_stats(st)->events % every)
			continue;
		state_settle(st, item.ev->ts);
		other = imported(st, NULL);
		assert_alike(st, other, path, state_stats(st)->events);
		state_free(other);
	}
	n = state_stats(st)->events;
	state_free(st);
	sf_reader_close(reader);
	return n;
}

/* From event @from on, a second state that was imported there goes along. */
static void go_on(const char *path, uint64_t from)
{
	struct state *st, *other = NULL;
	struct state_binding a, b;
	struct sf_reader *reader;
	struct ev_item item;
	int rc;

	assert_int_equal(sf_reader_open(path, NULL, &reader, NULL), 0);
	assert_int_equal(state_new(NULL, &st, NULL), 0);
	while (ev_source_next(sf_reader_source(reader), &item, NULL) == 1) {
		rc = state_feed(st, &item, &a, NULL);
		if (other)
			assert_int_equal(state_feed(other, &item, &b, NULL), rc);
		if (rc == 1 && other)
			assert_same_binding(&a, &b);
		if (other || !state_is_complete(st) || state_stats(st)->events < from)
			continue;
		state_settle(st, state_stats(st)->last_ts);
		other = imported(st, NULL);
	}
	if (other) {
		state_settle(st, state_stats(st)->last_ts);
		state_settle(other, state_stats(st)->last_ts);
		assert_alike(st, other, path, state_stats(st)->events);
	}
	state_free(other);
	state_free(st);
	sf_reader_close(reader);
}

static void a_state_that_was_imported_goes_on_as_the_one_exported(void **arg)
{
	uint64_t n;

	(void)arg;
	for (size_t i = 0; i < COUNT_OF(captures); i++) {
		if (access(captures[i].path, R_OK) != 0)
			continue;
		n = count_events(captures[i].path, captures[i].every);
		for (unsigned k = 0; k < captures[i].runs; k++)
			go_on(captures[i].path, 1 + n * k / captures[i].runs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_state_that_was_imported_goes_on_as_the_one_exported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
