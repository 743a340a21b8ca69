/* SPDX-License-Identifier: Apache-2.0 */
/* From the beginning to the end: on a terminal, or without one. */
#include "base/clock.h"
#include "tui/internal.h"

#define IDLE_MS	      500 /* between two looks at what threads have done */
#define BUSY_MS	      100
#define FRAME_MS      40 /* while time passes */
#define SETTLE_ROUNDS 1000000

void tui_app_settle(struct tui_app *app)
{
	for (unsigned i = 0; i < SETTLE_ROUNDS; i++) {
		tui_app_sync(app);
		if (!tui_app_work(app, 0) && !tui_app_top(app)->news)
			break;
		tui_app_top(app)->news |= TUI_NEWS_PROGRESS;
		if (app->opt->interrupted && app->opt->interrupted())
			break;
	}
	tui_app_draw(app);
}

static int begin(struct tui_app *app, struct error *err)
{
	const struct tui_options *opt = app->opt;
	enum tui_action a = opt->view ? tui_action_find(sv_of(opt->view)) : TUI_DO_OVERVIEW;

	if (a < TUI_DO_OVERVIEW || a >= TUI_DO_OVERVIEW + TUI_ROOTS)
		return error_set(err, ERR_USAGE,
				 "there is no view '%s': overview, alerts, tree, events, files, "
				 "net, sessions, timeline or rules",
				 opt->view);
	tui_app_switch(app, tui_roots[a - TUI_DO_OVERVIEW]);
	if (!app->roots[app->root])
		return error_set(err, ERR_NOMEM, "the view cannot be opened: %s",
				 buf_cstr(&app->message));
	return opt->at ? tui_app_goto_text(app, sv_of(opt->at), err) : 0;
}

static void print_screen(struct tui_app *app)
{
	struct buf out = {0};

	tui_screen_dump(&app->screen, app->opt->dump_roles, &out);
	app->opt->print(app->opt->print_arg, buf_view(&out));
	buf_done(&out);
}

static int run_headless(struct tui_app *app, uint64_t started, struct error *err)
{
	const struct tui_options *opt = app->opt;
	int rc;

	tui_app_sync(app);
	tui_app_draw(app);
	if (opt->timings)
		tui_print_timing(app, SV_LIT("first paint"), clock_ns(CLOCK_MONOTONIC) - started);
	tui_app_settle(app);
	rc = opt->play ? tui_script_play(app, opt->play, err) : 0;
	if (rc == 0 && opt->keys)
		rc = tui_script_keys(app, opt->keys, err);
	if (rc == 0 && opt->dump_screen)
		print_screen(app);
	return rc;
}

static int wait_ms(struct tui_app *app, bool more)
{
	struct buf what = {0};
	bool busy = tui_data_is_busy(app->data, &what);

	buf_done(&what);
	if (more)
		return 0;
	if (app->playing)
		return FRAME_MS;
	return busy ? BUSY_MS : IDLE_MS;
}

static int run_on_terminal(struct tui_app *app, struct error *err)
{
	struct tui_input in;
	bool changed = true; /* by keys or work, since it was drawn */
	bool again = false;  /* this turn shows what the one before came to */
	int rc = 0;

	while (rc == 0 && !app->quit && !(app->opt->interrupted && app->opt->interrupted())) {
		bool more;

		changed |= tui_app_sync(app);
		tui_app_draw(app);
		tui_term_show(app->term, &app->screen, app->cursor_y, app->cursor_x);
		more = tui_app_work(app, clock_ns(CLOCK_MONOTONIC) + TUI_WORK_NS);
		again = !more && !again && (changed || tui_app_top(app)->news);
		changed = more;
		rc = tui_term_read(app->term, again ? 0 : wait_ms(app, more), &in, err);
		/* All that waits is taken before the screen is drawn again. */
		while (rc == 0 && in.kind != TUI_INPUT_NONE && !app->quit) {
			tui_app_input(app, &in);
			changed = true;
			if (!app->quit)
				rc = tui_term_read(app->term, 0, &in, err);
		}
	}
	return rc == ERR_INTERRUPTED ? 0 : rc; /* who asked for the end knows of it */
}

/* A terminal, or a screen without one. */
static int set_up(struct tui_app *app, struct error *err)
{
	const struct tui_options *opt = app->opt;
	const struct tui_term_options term = {
	    .theme = app->theme, .mouse = app->mouse, .plain = opt->plain};
	int rc, height = opt->height, width = opt->width;

	if (!height) {
		rc = tui_term_open(&term, &app->term, err);
		if (rc < 0)
			return rc;
		tui_term_size(app->term, &height, &width);
		app->screen.ascii |= tui_term_is_ascii(app->term);
	}
	return tui_screen_resize(&app->screen, height, width, err);
}

int tui_run(const struct tui_options *opt, struct error *err)
{
	uint64_t started = clock_ns(CLOCK_MONOTONIC);
	struct tui_app *app = NULL;
	int rc = tui_app_new(opt, &app, err);

	if (rc == 0)
		rc = set_up(app, err);
	if (rc == 0)
		rc = begin(app, err);
	if (rc == 0)
		rc = app->term ? run_on_terminal(app, err) : run_headless(app, started, err);
	if (rc == 0 && opt->save_log)
		rc = tui_log_save(app, opt->save_log, err);
	tui_app_free(app);
	return rc;
}
