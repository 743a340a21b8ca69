/* SPDX-License-Identifier: Apache-2.0 */
/* scapula tui: cases and captures, browsed in the terminal. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/ending.h"
#include "cli/following.h"
#include "cli/rule_run.h"
#include "engine/rules/words.h"
#include "tui/tui.h"

enum {
	OPT_VIEW = OPT_AFTER_RULE_RUN,
	OPT_AT,
	OPT_HEADLESS,
	OPT_KEYS,
	OPT_PLAY,
	OPT_DUMP_SCREEN,
	OPT_DUMP_ROLES,
	OPT_TIMINGS,
	OPT_SAVE_LOG,
	OPT_KEYMAP,
	OPT_THEME,
	OPT_NO_MOUSE,
	OPT_ASCII,
	OPT_PLAIN,
	OPT_NO_MOTION,
	OPT_LIVE,
	OPT_WINDOW,
	OPT_ALLOW_ACTIONS,
};

static const struct cli_option tui_options[] = {
    {'r', "rules", "FILE|DIR",
     "rule file, or directory of .yaml and .yml files; repeatable, in order"},
    {OPT_DB, "db", "CASE",
     "keep results, notes and verdicts in a case (SQLite); created or added to"},
    {'c', "config", "FILE", "Falco configuration file"},
    {'O', "option", "KEY=VALUE", "override a configuration key; repeatable"},
    {'F', "filter", "CONDITION", "show only events that pass to the rules"},
    {'D', "disable", "SUBSTRING", "disable rules whose name contains it; repeatable"},
    {'t', "tag", "TAG", "run only rules with this tag; repeatable"},
    {'T', "disable-tag", "TAG", "disable rules with this tag; repeatable"},
    {OPT_MATCHING, "matching", "first|all", "report the first matching rule of an event, or all"},
    {OPT_MIN_PRIORITY, "min-priority", "PRIORITY", "leave out less severe rules"},
    {OPT_CORRECTED, "corrected", NULL,
     "true times and durations where Falco's fields have another number"},
    {OPT_LIVE, "live", NULL, "what happens on this host now, instead of captures"},
    {OPT_WINDOW, "window", "SIZE", "with --live: how much of it is kept; default 1G"},
    {OPT_ALLOW_ACTIONS, "allow-actions", NULL, "with --live: signals may be sent to processes"},
    CLI_SELECTION_OPTIONS,
    {OPT_VIEW, "view", "NAME",
     "the view to begin with: overview, alerts, tree, events, files, ..."},
    {OPT_AT, "at", "TIME", "the moment to begin at: 11:04:17, +5s, #EVENT, start, end"},
    {OPT_THEME, "theme", "NAME", "default, mono, high-contrast or deuter"},
    {OPT_KEYMAP, "keymap", "FILE", "keys; default: ~/.config/scapula/keys.conf"},
    {OPT_ASCII, "ascii", NULL, "draw with ASCII characters only"},
    {OPT_NO_MOUSE, "no-mouse", NULL, "leave the mouse to the terminal"},
    {OPT_NO_MOTION, "no-motion", NULL, "nothing moves by itself"},
    {OPT_PLAIN, "plain", NULL, "numbered lines and a prompt instead of screens"},
    {OPT_SAVE_LOG, "save-log", "FILE", "write what was done there at the end, for --play"},
    {OPT_HEADLESS, "headless", "WxH", "no terminal, a screen of that size"},
    {OPT_KEYS, "keys", "KEYS", "with --headless: press them, such as '2jj<Enter>e'"},
    {OPT_PLAY, "play", "FILE", "with --headless: do what a log of commands says"},
    {OPT_DUMP_SCREEN, "dump-screen", NULL, "with --headless: print the screen at the end"},
    {OPT_DUMP_ROLES, "dump-roles", NULL, "the same, each line with the roles of its cells"},
    {OPT_TIMINGS, "timings", NULL, "with --headless: print how long each key took"},
    {0, NULL, NULL, NULL},
};

static const char *const tui_examples[] = {
    "tui host7.case.db",
    "tui --rules rules.yaml capture.scap.zst",
    "tui --live --rules rules.yaml",
    "tui --headless 80x24 --keys '3' --dump-screen capture.scap.zst",
    NULL,
};

struct again { /* options are taken anew, since a run uses up what it loads */
	struct cli_common common;
	struct cli_rule_run rules;
};

struct tui_cmd {
	struct cli_common common;
	struct cli_rule_run rules;
	struct tui_options tui;
	struct cli_following following;
	bool headless, live;
	const char *window; /* as it was given */
	char *keymap;	    /* the default one, if it is there */
	char db[64];
	struct again checked; /* rules that explanations are about */
	struct tui_given_rules given;
	int argc; /* for each replay once more */
	char **argv;
};

static int take_size(struct tui_cmd *o, const char *value)
{
	int used = 0;

	if (sscanf(value, "%4dx%4d%n", &o->tui.width, &o->tui.height, &used) == 2 && !value[used] &&
	    o->tui.width > 0 && o->tui.height > 0 && o->tui.width <= TUI_WIDTH_MAX &&
	    o->tui.height <= TUI_HEIGHT_MAX) {
		o->headless = true;
		return 0;
	}
	cli_log(CLI_ERROR, "--headless %s: expected columns and lines such as 80x24, at most %dx%d",
		value, TUI_WIDTH_MAX, TUI_HEIGHT_MAX);
	return CLI_USAGE;
}

static int take_theme(struct tui_cmd *o, const char *value)
{
	if (tui_theme_find(sv_of(value), &o->tui.theme))
		return 0;
	cli_log(CLI_ERROR, "--theme %s: expected default, mono, high-contrast or deuter", value);
	return CLI_USAGE;
}

static int take_window(struct tui_cmd *o, const char *value)
{
	o->window = value;
	if (cli_parse_size(value, &o->following.live.window) &&
	    o->following.live.window >= FOLLOWING_WINDOW_MIN)
		return 0;
	cli_log(CLI_ERROR, "--window %s: expected a size from %lluM, such as 500M or 4G", value,
		FOLLOWING_WINDOW_MIN >> 20);
	return CLI_USAGE;
}

static int take_other(struct tui_cmd *o, int id, const char *value)
{
	int rc = cli_rule_run_take(&o->rules, id, value);

	return rc >= 0 ? rc : cli_selection_take(&o->following.recorder.selection, id, value);
}

static int take_option(void *arg, int id, const char *value)
{
	struct tui_cmd *o = arg;

	switch (id) {
	case OPT_VIEW:
		o->tui.view = value;
		return 0;
	case OPT_AT:
		o->tui.at = value;
		return 0;
	case OPT_HEADLESS:
		return take_size(o, value);
	case OPT_KEYS:
		o->tui.keys = value;
		return 0;
	case OPT_PLAY:
		o->tui.play = value;
		return 0;
	case OPT_DUMP_SCREEN:
		o->tui.dump_screen = true;
		return 0;
	case OPT_DUMP_ROLES:
		o->tui.dump_screen = o->tui.dump_roles = true;
		return 0;
	case OPT_TIMINGS:
		o->tui.timings = true;
		return 0;
	case OPT_SAVE_LOG:
		o->tui.save_log = value;
		return 0;
	case OPT_KEYMAP:
		o->tui.keymap = value;
		return 0;
	case OPT_THEME:
		return take_theme(o, value);
	case OPT_NO_MOUSE:
		o->tui.mouse = false;
		return 0;
	case OPT_ASCII:
		o->tui.ascii = true;
		return 0;
	case OPT_PLAIN:
		o->tui.plain = true;
		return 0;
	case OPT_NO_MOTION:
		o->tui.motion = false;
		return 0;
	case OPT_LIVE:
		o->live = true;
		return 0;
	case OPT_ALLOW_ACTIONS:
		o->tui.allow_actions = true;
		return 0;
	case OPT_WINDOW:
		return take_window(o, value);
	default:
		return take_other(o, id, value);
	}
}

/* --- replaying, in a thread of the interface --- */

static int take_again(void *arg, int id, const char *value)
{
	struct again *a = arg;
	int rc = cli_rule_run_take(&a->rules, id, value);

	return rc < 0 ? 0 : rc;
}

struct watched { /* a run that another thread may end */
	struct run *r;
	const volatile bool *stop;
};

static void watch(void *arg, const struct run_progress *p)
{
	const struct watched *w = arg;

	(void)p;
	if (*w->stop)
		run_stop(w->r);
}

static int replay(void *arg, const char *path, const char *db, const volatile bool *stop,
		  struct error *err)
{
	struct tui_cmd *o = arg;
	struct again a = {.common = o->common};
	struct run_capture_report rep = {0};
	struct watched w = {.stop = stop};
	int rc = 0, status;

	cli_rule_run_init(&a.rules, &a.common);
	optind = 0;
	if (!cli_walk_options(tui_options, o->argc, o->argv, take_again, &a))
		return error_set(err, ERR_USAGE, "the options of the rules cannot be taken again");
	a.rules.db = db;
	a.rules.only_case = a.rules.no_rules = true;
	a.rules.no_custody = !o->rules.db;
	a.rules.run.progress = watch;
	a.rules.run.progress_arg = &w;
	status = cli_rule_run_load(&a.rules);
	if (!status)
		status = cli_rule_run_start(&a.rules, o->argc, o->argv);
	if (status) {
		rc = error_set(err, ERR_RULES,
			       "the rules cannot be used; leave the program to see why");
	} else {
		w.r = a.rules.r;
		rc = run_capture(a.rules.r, path, NULL, &rep, err);
		if (rep.stats)
			status = cli_rule_run_note(&a.rules, path, rep.stats);
	}
	status = cli_rule_run_done(&a.rules, status);
	if (rc == 0 && status > CLI_FINDINGS && status != CLI_PARTIAL)
		rc = error_set(err, ERR_DB,
			       "the case is not complete; leave the program to see why");
	return rc;
}

/* Rules that cannot be loaded are told before the terminal is taken over. */
static int check_rules(struct tui_cmd *o)
{
	struct again *a = &o->checked;
	struct rule_word word;
	size_t count;
	int status;

	a->common = o->common;
	cli_rule_run_init(&a->rules, &a->common);
	optind = 0;
	if (!cli_walk_options(tui_options, o->argc, o->argv, take_again, a))
		return CLI_USAGE;
	a->rules.no_rules = a->rules.no_custody = true;
	a->rules.db = NULL;
	status = cli_rule_run_load(&a->rules);
	if (status)
		return status;
	o->given = (struct tui_given_rules){
	    .loader = a->rules.loader,
	    .engine = a->rules.engine,
	    .min_priority = a->rules.min_priority >= 0 ? (enum rule_priority)a->rules.min_priority
						       : a->rules.cfg.priority,
	    .match_all = a->rules.run.match_all,
	};
	(void)rule_engine_rules(o->given.engine, &count);
	if (count ||
	    rule_word_at(o->given.loader, 0, &word)) /* filters may name macros and lists */
		o->tui.data.rules = &o->given;
	return 0;
}

/* --- beginning --- */

static bool is_case(const char *path)
{
	static const char magic[16] = "SQLite format 3";
	char head[sizeof(magic)];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, head, sizeof(head)) : -1;

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)sizeof(head) && memcmp(head, magic, sizeof(head)) == 0;
}

static int take_operands(struct tui_cmd *o, char **paths, int count)
{
	if (count < 1) {
		cli_log(CLI_ERROR, "no case and no capture given");
		return CLI_USAGE;
	}
	for (int i = 0; i < count; i++) {
		if (access(paths[i], R_OK) < 0) {
			cli_log(CLI_ERROR, "cannot open '%s': %s", paths[i], strerror(errno));
			return CLI_INPUT;
		}
		if (i > 0 && is_case(paths[i])) {
			cli_log(CLI_ERROR,
				"'%s' is a case: one is looked at at a time, and it comes first",
				paths[i]);
			return CLI_USAGE;
		}
	}
	if (is_case(*paths)) {
		if (o->rules.db) {
			cli_log(CLI_ERROR,
				"--db is where the results of captures go; '%s' is a case", *paths);
			return CLI_USAGE;
		}
		o->tui.data.case_path = *paths++;
		count--;
	} else {
		o->tui.data.case_path = o->rules.db;
		o->tui.data.replay = replay;
		o->tui.data.arg = o;
	}
	o->tui.data.captures = (const char *const *)paths;
	o->tui.data.capture_count = (size_t)count;
	return 0;
}

static int check_live(struct tui_cmd *o, int operands)
{
	if (o->live && (o->headless || operands)) {
		cli_log(CLI_ERROR, o->headless ? "--live needs a terminal"
					       : "--live looks at this host, not at captures");
		return CLI_USAGE;
	}
	if (!o->live && (o->window || o->tui.allow_actions)) {
		cli_log(CLI_ERROR, "%s goes with --live",
			o->window ? "--window" : "--allow-actions");
		return CLI_USAGE;
	}
	return 0;
}

static int check_options(struct tui_cmd *o)
{
	const char *without = o->tui.keys	   ? "--keys"
			      : o->tui.play	   ? "--play"
			      : o->tui.dump_screen ? "--dump-screen"
			      : o->tui.timings	   ? "--timings"
						   : NULL;

	if (!o->headless && without) {
		cli_log(CLI_ERROR, "%s goes with --headless, such as --headless 80x24", without);
		return CLI_USAGE;
	}
	o->tui.data.wait = o->headless;
	o->tui.tz_offset_s = o->common.tz_offset_s;
	if (!o->headless && !o->common.color)
		o->tui.theme = TUI_THEME_MONO;
	return 0;
}

/* $XDG_CONFIG_HOME/scapula/keys.conf, if there is one. */
static void find_keymap(struct tui_cmd *o)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	struct buf b = {0};

	if (o->tui.keymap || o->headless)
		return;
	if (config && *config)
		buf_addf(&b, "%s/scapula/keys.conf", config);
	else if (home && *home)
		buf_addf(&b, "%s/.config/scapula/keys.conf", home);
	if (b.len && access(buf_cstr(&b), R_OK) == 0)
		o->tui.keymap = o->keymap = strdup(buf_cstr(&b));
	buf_done(&b);
}

static void print(void *arg, struct sv text)
{
	(void)arg;
	fwrite(text.p, 1, text.n, stdout);
}

static bool interrupted(void)
{
	return cli_interrupted() != 0 || cli_ending_signal() != 0;
}

static int browse(struct tui_cmd *o)
{
	struct error err = {0};
	int rc;

	find_keymap(o);
	o->tui.print = print;
	o->tui.interrupted = interrupted;
	o->tui.version = SCAPULA_VERSION;
	cli_log_hold(!o->headless);
	rc = tui_run(&o->tui, &err);
	cli_log_hold(false);
	free(o->keymap);
	return rc < 0 ? cli_fail(&err) : cli_worse(cli_flush(), cli_interrupted());
}

static int work(struct tui_cmd *o, char **operands, int count)
{
	int status = check_options(o);

	if (!status)
		status = check_live(o, count);
	if (!status)
		status = take_operands(o, operands, count);
	if (!status)
		status = check_rules(o);
	return status ? status : browse(o);
}

static int work_live(struct tui_cmd *o, int argc, char **argv, int operands)
{
	int status = check_options(o);

	if (!status)
		status = check_live(o, operands);
	if (status)
		return status;
	cli_progress_setup(CLI_PROGRESS_NEVER);
	status = cli_following_begin(&o->following, argc, argv);
	o->tui.data.case_path = o->rules.db;
	o->tui.data.live = &o->following.live;
	if (!status)
		status = browse(o);
	status = cli_worse(status, cli_following_end(&o->following));
	return cli_ending_signal() ? cli_worse(status, 128 + cli_ending_signal()) : status;
}

int cmd_tui(int argc, char **argv)
{
	struct tui_cmd o = {.tui = {.mouse = true, .motion = true}, .argc = argc, .argv = argv};
	const struct cli_parser parser = {"tui", tui_options, tui_examples, take_option, &o};
	int first, status;

	cli_rule_run_init(&o.rules, &o.common);
	cli_rule_run_init(&o.checked.rules, &o.checked.common);
	cli_following_init(&o.following, &o.rules);
	status = cli_parse(&parser, &o.common, argc, argv, &first);
	if (status < 0) {
		status = cli_flush();
	} else if (status == 0) {
		cli_catch_signals();
		qry_setup();
		status = o.live ? work_live(&o, argc, argv, argc - first)
				: work(&o, argv + first, argc - first);
	}
	if (!o.live)
		o.rules.db = NULL; /* the replays have completed it */
	status = cli_rule_run_done(&o.checked.rules, status);
	status = cli_rule_run_done(&o.rules, status);
	cli_following_done(&o.following);
	return status;
}
