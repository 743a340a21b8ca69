/* SPDX-License-Identifier: Apache-2.0 */
/* Which columns a table has: those by name, and one for every field. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sqlext/internal.h"

#define NAME_ROOM 256 /* for a name */
#define ANCESTORS 8   /* proc.aname[0] to proc.aname[7] have columns */
#define WORDS	  10  /* proc.args[0] to proc.args[9] do */

/* clang-format off */
static const struct named {
	const char *tables;
	struct vtab_column column;
} named_columns[] = {
#define COLUMN(tables, name, type, kind, field) {tables, {name, type, VTAB_##kind, field}},
#include "sqlext/columns.def"
#undef COLUMN
};
/* clang-format on */

static const char table_letters[VTAB_TABLES] = {
    [VTAB_EVENTS] = 'e', [VTAB_THREADS] = 't', [VTAB_PROCESSES] = 'p',
    [VTAB_FDS] = 'f',	 [VTAB_GAPS] = 'g',
};

struct maker {
	struct vtab_table *t;
	size_t room;	   /* columns */
	struct smap names; /* of columns, in lower case */
	bool drops;	   /* what is added may drop what is there */
	int rc;
};

/* SQLite tells no case of names apart. */
static size_t fold(char key[NAME_ROOM], const char *name)
{
	size_t n = strlen(name);

	if (n >= NAME_ROOM)
		n = NAME_ROOM - 1;
	for (size_t i = 0; i < n; i++)
		key[i] = (char)tolower((unsigned char)name[i]);
	return n;
}

/*
 * Add a column called @name, if there is room. A name that is there already stands for what was
 * first, but if they differ in case, for none.
 */
static void add(struct maker *m, const char *name, const struct vtab_column *c)
{
	struct vtab_table *t = m->t;
	struct vtab_column *at = &t->columns[t->column_count], *same;
	char key[NAME_ROOM];
	size_t n = fold(key, name);

	same = smap_get(&m->names, sv_make(key, n));
	if (same) {
		if (m->drops && strcmp(same->name, name) != 0)
			same->kind = VTAB_NONE;
		return;
	}
	if (m->rc < 0 || (size_t)t->column_count >= m->room)
		return;
	*at = *c;
	at->name = arena_strdup(&t->arena, name);
	if (!at->field)
		at->field = at->name;
	if (at->name)
		m->rc = smap_put(&m->names, arena_sv(&t->arena, sv_make(key, n)), at);
	else
		m->rc = ERR_NOMEM;
	t->column_count += m->rc == 0;
}

static void add_named(struct maker *m)
{
	for (size_t i = 0; i < COUNT_OF(named_columns); i++)
		if (strchr(named_columns[i].tables, table_letters[m->t->module->id]))
			add(m, named_columns[i].column.name, &named_columns[i].column);
}

static const char *declared_type(const struct flt_field_info *info)
{
	switch ((enum ev_ptype)info->type) {
	case PT_CHARBUF:
	case PT_FSPATH:
	case PT_FSRELPATH:
	case PT_IPADDR:
		return "TEXT HIDDEN";
	case PT_BYTEBUF:
		return "BLOB HIDDEN";
	case PT_DOUBLE:
		return "REAL HIDDEN";
	case PT_DYN:
		return "HIDDEN";
	default:
		return info->flags & FLT_FIELD_LIST ? "TEXT HIDDEN" : "INTEGER HIDDEN";
	}
}

static void add_field(struct maker *m, const struct flt_field_info *info, const char *text)
{
	add(m, text, &(struct vtab_column){.type = declared_type(info)});
}

/* A field with an argument: @open and @close are what stands around it. */
static void add_with(struct maker *m, const struct flt_field_info *info, const char *open,
		     const char *arg, const char *close)
{
	char text[NAME_ROOM];

	snprintf(text, sizeof(text), "%s%s%s%s", info->name, open, arg, close);
	add_field(m, info, text);
}

static void add_indexed(struct maker *m, const struct flt_field_info *info, unsigned count)
{
	char index[12];

	for (unsigned i = 0; i < count; i++) {
		snprintf(index, sizeof(index), "%u", i);
		add_with(m, info, "[", index, "]");
	}
}

static void add_parameters(struct maker *m, const struct flt_field_info *info)
{
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		for (unsigned i = 0; i < ev_table[type].nparams; i++)
			add_with(m, info, ".", ev_table[type].params[i].name, "");
}

static bool is_ancestor(const char *name)
{
	return strncmp(name, "proc.a", 6) == 0 && strcmp(name, "proc.args") != 0 &&
	       strcmp(name, "proc.aenv") != 0;
}

/* There is no event whose fields could be asked for, and not always a descriptor. */
static bool has_fields_of(enum vtab_table_id id, const char *name)
{
	static const char *const of_state[] = {"proc.",	     "thread.", "user.", "group.",
					       "container.", "k8s.",	"fd."};
	size_t n = COUNT_OF(of_state) - (id != VTAB_FDS);

	if (id == VTAB_EVENTS || id == VTAB_GAPS)
		return id == VTAB_EVENTS;
	for (size_t i = 0; i < n; i++)
		if (strncmp(name, of_state[i], strlen(of_state[i])) == 0)
			return true;
	return false;
}

static void add_fields(struct maker *m)
{
	m->drops = true;
	for (size_t i = 0; i < flt_field_count; i++) {
		const struct flt_field_info *info = &flt_field_table[i];

		if (info->flags & FLT_FIELD_FILTER_ONLY ||
		    !has_fields_of(m->t->module->id, info->name))
			continue;
		if (info->arg != FLT_ARG_REQUIRED)
			add_field(m, info, info->name);
		if (strcmp(info->name, "evt.arg") == 0 || strcmp(info->name, "evt.rawarg") == 0)
			add_parameters(m, info);
		else if (is_ancestor(info->name))
			add_indexed(m, info, ANCESTORS);
		else if (strcmp(info->name, "proc.args") == 0)
			add_indexed(m, info, WORDS);
	}
}

/* Those that were asked for. */
static int add_wanted(struct maker *m, const char *const *fields, size_t count, struct error *err)
{
	for (size_t i = 0; i < count && m->rc == 0; i++) {
		const struct flt_field_info *info = flt_field_find(sv_of(fields[i]));

		if (!info || info->flags & FLT_FIELD_FILTER_ONLY)
			return error_set(err, ERR_USAGE, "'%.80s' is not a field with a value",
					 fields[i]);
		if (!has_fields_of(m->t->module->id, info->name))
			return error_set(err, ERR_USAGE,
					 "'%.80s' is not about what this table holds", fields[i]);
		if (strlen(fields[i]) >= NAME_ROOM)
			return error_set(err, ERR_LIMIT, "field '%.80s...' is too long", fields[i]);
		add_field(m, info, fields[i]);
	}
	return 0;
}

static void drop_ambiguous(struct vtab_table *t)
{
	int kept = 0;

	for (int i = 0; i < t->column_count; i++)
		if (t->columns[i].kind != VTAB_NONE)
			t->columns[kept++] = t->columns[i];
	t->column_count = kept;
}

int vtab_columns_make(struct vtab_table *t, const char *const *fields, size_t count, size_t most,
		      struct error *err)
{
	struct maker m = {.t = t};
	int rc;

	m.room = COUNT_OF(named_columns) + count + flt_field_count * (1 + ANCESTORS + WORDS) +
		 2 * EV_TYPE_COUNT * EV_PARAMS_MAX;
	if (m.room > most)
		m.room = most;
	t->columns = arena_zalloc(&t->arena, m.room, sizeof(*t->columns));
	if (!t->columns)
		return error_nomem(err);
	add_named(&m);
	rc = add_wanted(&m, fields, count, err);
	if (rc == 0 && (size_t)t->column_count >= most)
		rc = error_set(err, ERR_LIMIT, "SQLite's limit of %zu columns is too low", most);
	if (rc == 0)
		add_fields(&m);
	drop_ambiguous(t);
	smap_done(&m.names);
	return rc == 0 && m.rc < 0 ? error_nomem(err) : rc;
}

void vtab_columns_declare(const struct vtab_table *t, struct buf *out)
{
	buf_lit(out, "CREATE TABLE x(");
	for (int i = 0; i < t->column_count; i++) {
		buf_str(out, i ? ",\"" : "\"");
		for (const char *p = t->columns[i].name; *p; p++) {
			if (*p == '"')
				buf_char(out, '"');
			buf_char(out, *p);
		}
		buf_lit(out, "\" ");
		buf_str(out, t->columns[i].type);
	}
	buf_char(out, ')');
}

/* --- as values --- */

void vtab_set_done(struct vtab_set *set)
{
	flt_program_free(set->program);
	*set = (struct vtab_set){0};
}

static int make_set(struct vtab_table *t, int count, struct vtab_set *set, struct error *err)
{
	int rc;

	set->values = arena_zalloc(&t->arena, (size_t)count, sizeof(*set->values));
	if (!set->values)
		return error_nomem(err);
	rc = flt_program_new(NULL, &set->program, err);
	for (int i = 0; rc == 0 && i < count; i++)
		if (vtab_is_field(t->columns[i].kind))
			rc = flt_column_new(set->program, sv_of(t->columns[i].field),
					    &set->values[i], err);
	if (rc == 0)
		rc = flt_program_seal(set->program, err);
	return rc;
}

int vtab_set_get(struct vtab_table *t, bool all, struct vtab_set **out, struct error *err)
{
	int count =
	    all || t->column_count < VTAB_COLUMNS_TOLD ? t->column_count : VTAB_COLUMNS_TOLD;
	struct vtab_set *set = all ? &t->all : &t->told;
	int rc = 0;

	if (!set->program) {
		rc = make_set(t, count, set, err);
		if (rc < 0)
			vtab_set_done(set);
	}
	*out = set;
	return rc;
}
