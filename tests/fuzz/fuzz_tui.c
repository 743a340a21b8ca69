/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random commands, keys and resizes. The first byte picks one of three captures, each byte behind
 * it does something; after each, the screen must hold nothing but harmless characters, wide ones
 * whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "replay/replay.h"
#include "tui/internal.h"

#define STEPS_MAX 400

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const captures[] = {"intrusion", "network", "sessions"};
static char folder[] = "/tmp/fuzz_tui.XXXXXX";
static char out_file[64]; /* in it: what is written goes nowhere else */

static const char *const arguments[] = {"",
					"evt.type=execve",
					"proc.name contains \"s",
					"sh",
					"!bash",
					"start",
					"end",
					"+5s",
					"-200ms",
					"#100",
					"@1",
					"true_positive because",
					"name",
					"utc",
					"mono",
					"1",
					"rule",
					"process",
					"evt.num,proc.name,fd.name",
					"\x1b[31m<script>\xff\xc3",
					"12:00:00.5",
					"fd.name startswith /etc and not proc.name in (sh, bash)",
					"none",
					"default",
					"((((((",
					"0",
					"99999999999999999999",
					"none"};
static const int sizes[][2] = {{24, 80},  {8, 40},  {7, 39},	 {1, 1},  {60, 200},
			       {40, 120}, {10, 40}, {500, 1000}, {23, 79}};

static void fail(const char *what)
{
	fprintf(stderr, "fuzz_tui: %s\n", what);
	abort();
}

/* The case of each capture is made once; a session gets a copy. */
static void make_case(const char *capture, const char *db)
{
	const struct rule_options opt = {.min_priority = RULE_DEBUG};
	const struct qry_run about = {.version = "fuzz", .command = "fuzz", .matching = "all"};
	struct run_options run_opt = {.match_all = true, .want_hash = true};
	struct run_capture_report report = {0};
	struct rule_loader *loader = NULL;
	struct rule_engine *engine = NULL;
	struct run_sink *sink = NULL;
	struct qry_writer *w = NULL;
	struct error err = {0};
	const struct rule *rules;
	struct run *run = NULL;
	size_t n;

	if (rule_loader_new(&opt, &loader, &err) < 0 ||
	    rule_loader_file(loader, FUZZ_ROOT "/rules/starter.yaml", &err) < 0 ||
	    rule_engine_new(loader, NULL, 0, &engine, &err) < 0 ||
	    qry_writer_open(db, &about, &w, &err) < 0)
		fail(err.msg);
	rules = rule_engine_rules(engine, &n);
	for (size_t i = 0; i < n; i++)
		if (qry_add_rule(w, &rules[i], &err) < 0)
			fail(err.msg);
	sink = run_case_sink_new(w);
	run_opt.writer = w;
	if (!sink || run_new(engine, &run_opt, &sink, 1, &run, &err) < 0 ||
	    run_capture(run, capture, NULL, &report, &err) < 0 || qry_writer_close(w, 0, &err) < 0)
		fail(err.msg);
	run_free(run);
	run_sink_free(sink);
	rule_engine_free(engine);
	rule_loader_free(loader);
}

static void copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	char room[65536];
	size_t n;

	if (!in || !out)
		fail("a case cannot be copied");
	while ((n = fread(room, 1, sizeof(room), in)) > 0)
		if (fwrite(room, 1, n, out) != n)
			fail("a case cannot be copied");
	fclose(in);
	fclose(out);
}

static int replay(void *arg, const char *path, const char *db, const volatile bool *stop,
		  struct error *err)
{
	char from[256];

	(void)path, (void)stop, (void)err;
	snprintf(from, sizeof(from), "%s/%s.db", folder, (const char *)arg);
	copy_file(from, db);
	return 0;
}

static void remove_folder(void)
{
	char line[128];

	snprintf(line, sizeof(line), "rm -rf %s", folder);
	if (system(line))
		fprintf(stderr, "fuzz_tui: %s is left\n", folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	if (!mkdtemp(folder))
		fail("no folder");
	atexit(remove_folder);
	setenv("XDG_CACHE_HOME", folder, 1);
	for (size_t i = 0; i < COUNT_OF(captures); i++) {
		char capture[512], db[256];

		snprintf(capture, sizeof(capture), "%s/tests/captures/%s.scap", FUZZ_ROOT,
			 captures[i]);
		snprintf(db, sizeof(db), "%s/%s.db", folder, captures[i]);
		make_case(capture, db);
	}
	snprintf(out_file, sizeof(out_file), "%s/out.csv", folder);
	return 0;
}

static void check_screen(const struct tui_screen *s)
{
	for (int y = 0; y < s->height; y++)
		for (int x = 0; x < s->width; x++) {
			const struct tui_cell *c =
			    &s->cells[(size_t)y * (size_t)s->width + (size_t)x];

			if (c->ch > 0x10ffff || (c->ch && utf8_is_harmful(c->ch)) ||
			    (c->marks[0] && utf8_is_harmful(c->marks[0])))
				fail("a harmful character is on the screen");
			if (!c->ch && x == 0)
				fail("the right half of a character without its left");
			if (c->role >= TUI_ROLE_COUNT)
				fail("there is no such role");
		}
}

static bool writes(enum tui_action a)
{
	return a == TUI_DO_EXPORT || a == TUI_DO_SAVE_LOG || a == TUI_DO_SAVE_WINDOW;
}

/* Would the line that is being typed name a file to be written? */
static bool is_naming_a_file(const struct tui_app *app)
{
	struct sv line = buf_view(&app->prompt.line);

	return app->prompt.open &&
	       (writes(app->prompt.action) ||
		(app->prompt.action == TUI_DO_PALETTE &&
		 (sv_contains(line, SV_LIT("save")) || sv_contains(line, SV_LIT("export")))));
}

static void one_step(struct tui_app *app, uint8_t what, uint8_t more)
{
	struct tui_input in = {.kind = TUI_INPUT_KEY};
	struct tui_command c = {.count = 1 + more % 3};

	if (what < TUI_ACTION_COUNT) {
		c.action = what ? (enum tui_action)what : TUI_DO_DOWN;
		c.arg = sv_of(writes(c.action) ? out_file : arguments[more % COUNT_OF(arguments)]);
		if (c.action == TUI_DO_PALETTE)
			c.arg = SV_LIT("tree");
		if (!app->prompt.open && c.action != TUI_DO_SUSPEND && c.action != TUI_DO_QUIT)
			tui_app_command(app, &c);
		return;
	}
	if (what >= 250) {
		in.kind = TUI_INPUT_RESIZE;
		in.y = sizes[more % COUNT_OF(sizes)][0];
		in.x = sizes[more % COUNT_OF(sizes)][1];
	} else if (what >= 240) {
		in.kind = TUI_INPUT_MOUSE;
		in.mouse = (enum tui_mouse)(what % 6);
		in.y = more % 64;
		in.x = more;
	} else if (what >= 220) {
		in.key = TUI_KEY_FIRST + 1 + more % (TUI_KEY_END_OF_LIST - TUI_KEY_FIRST - 1);
	} else {
		in.key = more;
	}
	if (in.kind == TUI_INPUT_KEY && is_naming_a_file(app) &&
	    (in.key == TUI_KEY_ENTER || in.key == '\n'))
		in.key = TUI_KEY_ESC;
	if (in.kind != TUI_INPUT_KEY || app->prompt.open ||
	    tui_keymap_find(app->keymap, in.key) != TUI_DO_SUSPEND)
		tui_app_input(app, &in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char capture[512];
	const char *paths[] = {capture};
	struct tui_options opt = {.height = 24, .width = 80, .version = "fuzz"};
	struct tui_app *app = NULL;
	struct error err = {0};
	const char *name;

	if (size < 3 || size > 2 * STEPS_MAX)
		return -1;
	name = captures[data[0] % COUNT_OF(captures)];
	snprintf(capture, sizeof(capture), "%s/tests/captures/%s.scap", FUZZ_ROOT, name);
	opt.data = (struct tui_data_options){.captures = paths,
					     .capture_count = 1,
					     .replay = replay,
					     .arg = (void *)(uintptr_t)name,
					     .wait = true};
	opt.ascii = data[0] & 64;
	if (tui_app_new(&opt, &app, &err) < 0 ||
	    tui_screen_resize(&app->screen, opt.height, opt.width, &err) < 0)
		fail(err.msg);
	tui_app_switch(app, tui_roots[data[0] / 3 % TUI_ROOTS]);
	for (size_t i = 1; i + 1 < size && !app->quit; i += 2) {
		one_step(app, data[i], data[i + 1]);
		tui_app_sync(app);
		tui_app_draw(app);
		check_screen(&app->screen);
		if (data[i + 1] & 128)
			tui_app_settle(app);
		check_screen(&app->screen);
	}
	tui_app_free(app);
	return 0;
}
