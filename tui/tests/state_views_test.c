/* SPDX-License-Identifier: Apache-2.0 */
/* Views of what is there at T: nothing of another moment is ever touched, groups lose nothing, and
 * what is gone is filtered as what is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/files_model.h"
#include "tui/internal.h"
#include "tui/net_model.h"
#include "tui/sessions_model.h"
#include "tui/tests/data_place.h"

#define CHUNK 5 /* events: moments are far from each other */

struct fixture {
	struct place place;
	const char *captures[1];
	struct tui_options opt;
	struct tui_app *app;
};

static void set_up(struct fixture *f, const char *capture)
{
	struct error err = {0};

	memset(f, 0, sizeof(*f));
	make_place(&f->place, capture, CHUNK);
	f->captures[0] = f->place.capture;
	f->opt.data =
	    (struct tui_data_options){.captures = f->captures, .capture_count = 1, .wait = true};
	if (tui_app_new(&f->opt, &f->app, &err) < 0 ||
	    tui_screen_resize(&f->app->screen, 24, 120, &err) < 0)
		fail_msg("%s", err.msg);
	tui_app_switch(f->app, &tui_overview_ops);
	tui_app_settle(f->app);
}

static void tear_down(struct fixture *f)
{
	tui_app_free(f->app);
	drop_place(&f->place);
}

static const struct tui_moment *moment_at(struct fixture *f, uint64_t num)
{
	const struct tui_moment *m;
	struct error err = {0};

	tui_app_goto_event(f->app, num);
	if (tui_data_moment(tui_app_data(f->app), &m, &err) < 0)
		fail_msg("event %llu: %s", (unsigned long long)num, err.msg);
	return m;
}

static uint64_t random_below(uint64_t *seed, uint64_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 33) % n;
}

/* Keys that come before the view has seen that T is another one. */
static void hurry(struct fixture *f, uint64_t *seed)
{
	static const enum tui_action actions[] = {
	    TUI_DO_DOWN,    TUI_DO_LAST,      TUI_DO_FIRST, TUI_DO_SORT,     TUI_DO_REVERSE,
	    TUI_DO_REGROUP, TUI_DO_NEXT_PANE, TUI_DO_DEAD,  TUI_DO_COMMAND,  TUI_DO_PAGE_DOWN,
	    TUI_DO_TAG,	    TUI_DO_ENTER,     TUI_DO_BACK,  TUI_DO_FREQUENCY};
	const struct tui_capture *c = tui_data_capture(tui_app_data(f->app));

	(void)moment_at(f, 1 + random_below(seed, c->events));
	for (unsigned i = 0; i < 6; i++) {
		const struct tui_command command = {
		    .action = actions[random_below(seed, COUNT_OF(actions))],
		    .arg = SV_NONE,
		    .count = 1};

		tui_app_do(f->app, &command);
		tui_app_draw(f->app);
	}
}

static void what_is_of_another_moment_is_not_touched(void **state)
{
	static const struct tui_view_ops *const views[] = {&tui_files_ops, &tui_net_ops,
							   &tui_sessions_ops};
	uint64_t seed = 7;
	struct fixture f;

	(void)state;
	set_up(&f, "sessions.scap");
	for (unsigned round = 0; round < 90; round++) {
		tui_app_switch(f.app, views[round % COUNT_OF(views)]);
		tui_app_settle(f.app);
		hurry(&f, &seed);
		tui_app_settle(f.app);
	}
	tear_down(&f);
}

/* --- descriptors */

static size_t count_fds(const struct tui_moment *m)
{
	struct state_thread *t;
	size_t n = 0;

	for (size_t at = 0; (t = state_thread_next(m->state, &at));) {
		if (!state_thread_is_main(t) && !state_thread_is_invalid(t))
			continue;
		for (size_t k = 0; state_fd_next(t, &k);)
			n++;
	}
	return n;
}

static size_t count_listed(const struct tui_open *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->list.count; i++)
		n += o->rows[i].kind == TUI_OPEN_FD;
	return n;
}

static void every_open_descriptor_is_listed_once(void **state)
{
	struct fixture f;
	struct tui_open o;
	struct error err = {0};

	(void)state;
	set_up(&f, "sessions.scap");
	tui_open_init(&o, f.app, 0);
	for (uint64_t num = 1; num < 70; num += 6) {
		const struct tui_moment *m = moment_at(&f, num);

		assert_int_equal(tui_open_begin(&o, &err), 0);
		assert_int_equal(tui_open_work(&o, 0, &err), 0);
		assert_int_equal(count_listed(&o), count_fds(m));
		for (size_t i = 0; i < o.list.count; i++)
			assert_ptr_equal(tui_open_find(&o, o.rows[i].key), &o.rows[i]);
	}
	assert_true(count_listed(&o) > 3);
	tui_open_done(&o);
	tear_down(&f);
}

/* --- sockets */

static void load_net(struct tui_net *n, const char *filter)
{
	struct error err = {0};
	size_t pos;

	tui_state_filter_free(n->filter);
	n->filter = NULL;
	if (tui_state_filter_new(sv_of(filter), ACT_SOCKET_CLASSES, &n->filter, &pos, &err) < 0 ||
	    tui_net_begin(n, &err) < 0 || tui_net_work(n, 0, &err) < 0)
		fail_msg("%s: %s", filter, err.msg);
}

static void groups_have_each_socket_once(void **state)
{
	struct error err = {0};
	struct fixture f;
	struct tui_net n;

	(void)state;
	set_up(&f, "network.scap");
	tui_net_init(&n, f.app, 0);
	n.closed = n.unix_sockets = true;
	for (n.by = TUI_NET_BY_REMOTE; n.by < TUI_NET_GROUPINGS; n.by++) {
		uint64_t all = 0;

		n.inside = 0;
		load_net(&n, "");
		assert_true(n.list.count > 20);
		for (size_t i = 0; i < n.groups.count; i++) {
			n.inside = n.sums[i].hash;
			assert_int_equal(tui_list_update(&n.list, &err), 0);
			assert_int_equal(n.list.shown, n.sums[i].sockets);
			all += n.sums[i].sockets;
		}
		assert_int_equal(all, n.list.count);
	}
	tui_net_done(&n);
	tear_down(&f);
}

typedef bool wanted_fn(const struct act_conn *c);

static bool is_ipv4(const struct act_conn *c)
{
	return c->family == ACT_IPV4;
}

static bool is_to_server(const struct act_conn *c)
{
	const struct act_end *e = c->waits || c->direction == ACT_DIR_IN ? &c->local : &c->remote;

	return c->family != ACT_UNIX && e->port == 45553;
}

static bool is_of_python(const struct act_conn *c)
{
	return c->chain_len && sv_is(c->chain[0].name, "python3");
}

static size_t count_conns(const struct tui_moment *m, wanted_fn *wanted)
{
	const struct act_conn *c;
	size_t n = 0;

	for (size_t at = 0; act_net_next(m->net, &at, &c);)
		n += wanted(c);
	return n;
}

static void sockets_that_are_gone_pass_filters_as_those_that_are_there(void **state)
{
	static const struct {
		const char *filter;
		wanted_fn *wanted;
		bool at_end; /* of a socket that is there the descriptor knows less */
	} cases[] = {{"fd.type = ipv4", is_ipv4, false},
		     {"fd.sport = 45553", is_to_server, true},
		     {"proc.name = python3", is_of_python, false}};
	static const uint64_t at[] = {1200, 1400, UINT64_MAX};
	struct fixture f;
	struct tui_net n;

	(void)state;
	set_up(&f, "network.scap");
	tui_net_init(&n, f.app, 0);
	n.closed = n.unix_sockets = true;
	for (size_t k = 0; k < COUNT_OF(at); k++) {
		const struct tui_moment *m = moment_at(&f, at[k]);

		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			if (cases[i].at_end && at[k] != UINT64_MAX)
				continue;
			load_net(&n, cases[i].filter);
			if (n.list.count != count_conns(m, cases[i].wanted))
				fail_msg("event %llu, %s: %zu", (unsigned long long)at[k],
					 cases[i].filter, n.list.count);
		}
	}
	assert_true(n.list.count > 0);
	tui_net_done(&n);
	tear_down(&f);
}

/* --- sessions */

static size_t count_typed(const struct act_session *s)
{
	size_t n = 0;

	for (const struct act_command *c = s->first_command; c; c = c->next)
		n += act_command_typed(c);
	return n;
}

static void each_session_hangs_below_the_one_that_started_it(void **state)
{
	struct tui_sessions s = {.all = true};
	struct tui_commands commands = {0};
	const struct tui_moment *m;
	struct error err = {0};
	struct fixture f;
	size_t n = 0, below = 0;

	(void)state;
	set_up(&f, "sessions.scap");
	m = moment_at(&f, UINT64_MAX);
	s.source.app = commands.source.app = f.app;
	assert_int_equal(tui_known_new(tui_app_data(f.app), &s.source.known, &err), 0);
	assert_int_equal(tui_known_new(tui_app_data(f.app), &commands.source.known, &err), 0);
	assert_int_equal(tui_sessions_load(&s, &err), 0);
	for (const struct act_session *a = act_sessions_first(m->sessions); a; a = a->next, n++) {
		size_t i = 0, up;

		while (i < s.count && s.rows[i].id != a->id)
			i++;
		assert_true(i < s.count);
		assert_int_equal(s.rows[i].commands, count_typed(a));
		assert_int_equal(tui_commands_load(&commands, a->id, &err), 0);
		assert_int_equal(commands.count, count_typed(a));
		if (!s.rows[i].depth)
			continue;
		for (up = i; s.rows[up].depth >= s.rows[i].depth; up--)
			;
		assert_int_equal(s.rows[up].id, a->parent->id);
		below++;
	}
	assert_int_equal(s.count, n);
	assert_true(below > 0);
	tui_sessions_done(&s);
	tui_commands_done(&commands);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_of_another_moment_is_not_touched),
	    cmocka_unit_test(every_open_descriptor_is_listed_once),
	    cmocka_unit_test(groups_have_each_socket_once),
	    cmocka_unit_test(sockets_that_are_gone_pass_filters_as_those_that_are_there),
	    cmocka_unit_test(each_session_hangs_below_the_one_that_started_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
