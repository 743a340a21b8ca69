/* SPDX-License-Identifier: Apache-2.0 */
/* Reading recipes, and holding each program against the tables of events and parameters. */
#include "capture/schema/gen.h"

void program_error(const struct program *p, const char *what)
{
	die("%s:%zu: program %s: %s", p->file, p->line, p->name, what);
}

/* The row of the event a recipe means: a symbol, or a name: newest exit, else newest entry. */
static size_t find_event(const struct gen *g, const struct program *p, const char *name)
{
	const struct table *t = &g->events;
	size_t found = t->rows;

	for (size_t i = 0; i < t->rows; i++) {
		if (strcmp(cell(t, i, 1), name) == 0)
			return i;
		if (strcmp(cell(t, i, 2), name) != 0 || strstr(cell(t, i, 5), "OLD_VERSION"))
			continue;
		if (found == t->rows || cell(t, i, 3)[0] == 'X')
			found = i;
	}
	if (found == t->rows)
		program_error(p, "no event by this name");
	return found;
}

static void add_row(struct program *p, const char *param, const char *recipe)
{
	if (p->nlets == PROGRAM_ROWS_MAX || p->count == PROGRAM_ROWS_MAX)
		program_error(p, "too many rows");
	if (strcmp(param, "let") == 0)
		p->lets[p->nlets++] = recipe;
	else if (strcmp(param, "calls") == 0)
		p->calls = recipe;
	else if (strcmp(param, "hand") == 0)
		p->hand = true;
	else if (strcmp(param, "none") != 0)
		p->params[p->count++] = (struct param){param, recipe, 0};
}

/* Number, order and names of the parameters are those of the format; it tells the widths, too. */
static void check_params(const struct gen *g, struct program *p, size_t event)
{
	const char *id = cell(&g->events, event, 0);
	size_t n = 0;

	for (size_t i = 0; i < g->params.rows; i++) {
		if (strcmp(cell(&g->params, i, 0), id) != 0)
			continue;
		if (n == p->count || strcmp(p->params[n].name, cell(&g->params, i, 2)) != 0)
			die("%s:%zu: program %s: parameter %zu is %s, but the event has %s",
			    p->file, p->line, p->name, n + 1,
			    n < p->count ? p->params[n].name : "missing", cell(&g->params, i, 2));
		p->params[n++].width = type_width(cell(&g->params, i, 3));
	}
	if (n != p->count)
		die("%s:%zu: program %s: parameter %s is not one of the event", p->file, p->line,
		    p->name, p->params[n].name);
}

static struct program *add_program(struct gen *g, const char *file, size_t line, const char *name,
				   const char *condition)
{
	struct program *p;

	if (g->count % 64 == 0)
		g->programs = must(realloc(g->programs, (g->count + 64) * sizeof(*g->programs)));
	p = &g->programs[g->count++];
	memset(p, 0, sizeof(*p));
	p->kind = name[0] == '<' ? ENTRY : name[0] == '@' ? TRACEPOINT : EXIT;
	p->name = name + (p->kind != EXIT);
	p->condition = condition;
	p->file = file;
	p->line = line;
	for (size_t i = 0; i + 1 < g->count; i++)
		if (g->programs[i].kind == p->kind && strcmp(g->programs[i].name, p->name) == 0)
			program_error(p, "there is one by this name already");
	return p;
}

static void read_recipes(struct gen *g, const char *dir, const char *file)
{
	struct table t = read_table(dir, file);
	const char *name = "";

	if (t.rows && t.columns != 5)
		die("%s: expected a heading of five columns", file);
	for (size_t i = 0; i < t.rows; i++) {
		struct program *p;

		if (strcmp(name, cell(&t, i, 1)) != 0) {
			name = cell(&t, i, 1);
			p = add_program(g, file, t.lines[i], name, cell(&t, i, 2));
			p->event = cell(&t, i, 0);
		}
		p = &g->programs[g->count - 1];
		if (strcmp(p->event, cell(&t, i, 0)) != 0)
			program_error(p, "its rows name different events");
		add_row(p, cell(&t, i, 3), cell(&t, i, 4));
	}
}

void gen_read(struct gen *g, const char *event_dir, const char *dir, char **recipes)
{
	memset(g, 0, sizeof(*g));
	g->events = read_table(event_dir, "events.tsv");
	g->params = read_table(event_dir, "event_params.tsv");
	g->syscalls = read_table(dir, "syscalls.tsv");
	g->flags = read_table(dir, "flag-mappings.tsv");
	for (; *recipes; recipes++)
		read_recipes(g, dir, *recipes);
	for (size_t i = 0; i < g->count; i++) {
		struct program *p = &g->programs[i];
		size_t event;

		if (p->hand && strcmp(p->event, "-") == 0)
			continue;
		event = find_event(g, p, p->event);
		if (!p->hand)
			check_params(g, p, event);
		p->event = short_name(cell(&g->events, event, 1));
	}
}
