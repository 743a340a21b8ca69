/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of a script, and the command log: what was done, to be done again. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "tui/internal.h"

#define LOG_VERSION  1
#define LOG_MAX	     (64u << 20) /* bytes */
#define LOG_LINE_MAX (64u << 10)

/* --- writing --- */

void tui_log_command(struct tui_app *app, const struct tui_command *c)
{
	if (app->log.len > LOG_MAX)
		return;
	buf_lit(&app->log, "{\"command\":");
	json_string(&app->log, sv_of(tui_actions[c->action].name));
	if (c->arg.n) {
		buf_lit(&app->log, ",\"argument\":");
		json_string(&app->log, c->arg);
	}
	if (c->count > 1)
		buf_addf(&app->log, ",\"count\":%d", c->count);
	buf_lit(&app->log, "}\n");
	app->logged++;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

int tui_log_save(const struct tui_app *app, const char *path, struct error *err)
{
	struct buf head = {0};
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), rc = 0;

	if (fd < 0)
		return error_sys(err, errno, "cannot write the command log '%s'", path);
	buf_addf(&head, "{\"scapula\":\"commands\",\"version\":%d}\n", LOG_VERSION);
	if (write_all(fd, head.p, head.len) < 0 || write_all(fd, app->log.p, app->log.len) < 0 ||
	    fsync(fd) < 0)
		rc = error_sys(err, errno, "cannot write the command log '%s'", path);
	buf_done(&head);
	if (close(fd) < 0 && rc == 0)
		rc = error_sys(err, errno, "cannot write the command log '%s'", path);
	return rc;
}

/* --- after each step --- */

void tui_print_timing(struct tui_app *app, struct sv what, uint64_t ns)
{
	struct buf b = {0};

	buf_lit(&b, "{\"key\":");
	json_string(&b, what);
	buf_addf(&b, ",\"us\":%llu}\n", (unsigned long long)(ns / 1000));
	app->opt->print(app->opt->print_arg, buf_view(&b));
	buf_done(&b);
}

/* What a person would wait for is timed: until the screen is there. Then whatever takes longer is
 * finished. */
static void show(struct tui_app *app, struct sv what, uint64_t started)
{
	tui_app_sync(app);
	tui_app_draw(app);
	if (app->opt->timings)
		tui_print_timing(app, what, clock_ns(CLOCK_MONOTONIC) - started);
	tui_app_settle(app);
}

static void resize(struct tui_app *app, int height, int width)
{
	const struct tui_input in = {.kind = TUI_INPUT_RESIZE, .y = height, .x = width};

	tui_app_input(app, &in);
}

/* "<40x10>" */
static bool take_size(struct sv *text, int *height, int *width)
{
	int used = 0;
	char word[16];
	size_t n = text->n < sizeof(word) - 1 ? text->n : sizeof(word) - 1;

	if (n)
		memcpy(word, text->p, n);
	word[n] = '\0';
	if (sscanf(word, "<%4dx%4d>%n", width, height, &used) != 2 || !used || *width < 1 ||
	    *height < 1 || *width > TUI_WIDTH_MAX || *height > TUI_HEIGHT_MAX)
		return false;
	*text = sv_drop(*text, (size_t)used);
	return true;
}

int tui_script_keys(struct tui_app *app, const char *keys, struct error *err)
{
	struct sv rest = sv_of(keys);

	while (rest.n && !app->quit) {
		struct tui_input in = {.kind = TUI_INPUT_KEY};
		struct sv what = rest;
		uint64_t started = clock_ns(CLOCK_MONOTONIC);
		int height, width;

		if (take_size(&rest, &height, &width))
			resize(app, height, width);
		else if (tui_key_take(&rest, &in.key))
			tui_app_input(app, &in);
		else
			return error_set(
			    err, ERR_USAGE,
			    "--keys: '%.*s' does not begin with a key (see scapula-tui(1))",
			    (int)(rest.n < 20 ? rest.n : 20), rest.p);
		what.n -= rest.n;
		show(app, what, started);
	}
	return 0;
}

/* --- playing a log --- */

static int play_resize(struct tui_app *app, const cJSON *item)
{
	struct sv text = sv_of(item->valuestring);
	int height, width;

	if (!take_size(&text, &height, &width) || text.n)
		return -1;
	resize(app, height, width);
	return 0;
}

static int play_line(struct tui_app *app, char *line, struct error *err)
{
	uint64_t started = clock_ns(CLOCK_MONOTONIC);
	cJSON *root = cJSON_ParseWithLength(line, strlen(line));
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(root, "command");
	const cJSON *arg = cJSON_GetObjectItemCaseSensitive(root, "argument");
	const cJSON *count = cJSON_GetObjectItemCaseSensitive(root, "count");
	const cJSON *size = cJSON_GetObjectItemCaseSensitive(root, "resize");
	const cJSON *keys = cJSON_GetObjectItemCaseSensitive(root, "keys");
	struct tui_command c = {.count = 1};
	int rc = 0;

	if (cJSON_IsString(size)) {
		rc = play_resize(app, size) < 0
			 ? error_set(err, ERR_USAGE, "a size such as \"<80x24>\" was expected")
			 : 0;
	} else if (cJSON_IsString(keys)) {
		rc = tui_script_keys(app, keys->valuestring, err);
	} else if (cJSON_IsString(name)) {
		c.action = tui_action_find(sv_of(name->valuestring));
		c.arg = cJSON_IsString(arg) ? sv_of(arg->valuestring) : SV_NONE;
		if (cJSON_IsNumber(count) && count->valuedouble >= 1 &&
		    count->valuedouble <= 1000000)
			c.count = (int)count->valuedouble;
		if (!c.action)
			rc = error_set(err, ERR_USAGE, "there is no command '%.40s'",
				       name->valuestring);
		else
			tui_app_command(app, &c);
	} else if (!cJSON_HasObjectItem(root, "scapula")) {
		rc = error_set(err, ERR_USAGE,
			       "an object with \"command\", \"keys\" or \"resize\" was expected");
	}
	if (rc == 0)
		show(app, cJSON_IsString(name) ? sv_of(name->valuestring) : SV_NONE, started);
	cJSON_Delete(root);
	return rc;
}

int tui_script_play(struct tui_app *app, const char *path, struct error *err)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	struct error why = {0};
	unsigned long number = 0;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int rc = 0;

	if (!f)
		return error_sys(err, errno, "cannot open the command log '%s'", path);
	while (rc == 0 && !app->quit && (n = getline(&line, &cap, f)) > 0) {
		number++;
		if (line[n - 1] == '\n')
			line[--n] = '\0';
		if (!n)
			continue;
		if ((size_t)n > LOG_LINE_MAX || strlen(line) != (size_t)n)
			rc = error_set(&why, ERR_USAGE, "no line of a command log");
		else
			rc = play_line(app, line, &why);
	}
	if (rc < 0)
		rc = error_set(err, rc, "%s:%lu: %s", path, number, why.msg);
	else if (ferror(f))
		rc = error_sys(err, errno, "cannot read the command log '%s'", path);
	free(line);
	if (f != stdin)
		fclose(f);
	return rc;
}
