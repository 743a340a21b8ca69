/* SPDX-License-Identifier: Apache-2.0 */
/* Building programs: what is shared between conditions is found by key. */
#include "engine/filter/program.h"

#include <stdlib.h>

#include "engine/filter/grow.h"
#include "engine/filter/regex.h"

/* A copy of the static.NAME fields in the program's arena. */
static int copy_statics(struct flt_program *p, struct error *err)
{
	const struct flt_static *from = p->options.statics;
	struct flt_static *copy;
	size_t n = 0;

	while (from && from[n].name)
		n++;
	copy = arena_zalloc(&p->arena, n + 1, sizeof(*copy));
	if (!copy)
		return error_nomem(err);
	for (size_t i = 0; i < n; i++) {
		copy[i].name = arena_strdup(&p->arena, from[i].name);
		copy[i].value = arena_strdup(&p->arena, from[i].value);
		if (!copy[i].name || !copy[i].value)
			return error_nomem(err);
	}
	p->options.statics = copy;
	return 0;
}

int flt_program_new(const struct flt_options *opt, struct flt_program **out, struct error *err)
{
	struct flt_program *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return error_nomem(err);
	if (opt)
		p->options = *opt;
	rc = copy_statics(p, err);
	p->condition_options = p->options;
	if (!p->options.conditions_see_bytes) {
		p->condition_options.bytes = FLT_BYTES_DOTS;
		p->condition_options.bytes_max = 0;
	}
	if (rc < 0) {
		flt_program_free(p);
		return rc;
	}
	*out = p;
	return 0;
}

void flt_program_free(struct flt_program *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->test_count; i++)
		flt_test_done(p->tests[i]);
	for (struct flt_owned_regex *r = p->regexes; r; r = r->next)
		flt_regex_free(r->regex);
	for (uint32_t i = 0; i < p->field_count; i++)
		flt_field_done(p->fields[i]);
	smap_done(&p->field_map);
	smap_done(&p->test_map);
	buf_done(&p->steps);
	free(p->starts);
	arena_done(&p->arena);
	free(p);
}

struct arena *flt_program_arena(struct flt_program *p)
{
	return &p->arena;
}

const struct flt_options *flt_program_options(const struct flt_program *p)
{
	return &p->options;
}

/* --- fields --- */

bool flt_program_asks(const struct flt_program *p, const char *cls)
{
	for (uint32_t i = 0; i < p->field_count; i++)
		if (strcmp(p->fields[i]->info->cls, cls) == 0)
			return true;
	return false;
}

bool flt_program_has_memory(const struct flt_program *p)
{
	for (uint32_t i = 0; i < p->field_count; i++)
		if (flt_field_is_stateful(p->fields[i]))
			return true;
	return p->options.output_time == FLT_CLOCK_DELTA;
}

/* Stateful instances are not put into the map: each check has its own. */
static int add_field(struct flt_program *p, struct flt_field *f, const struct buf *key,
		     struct error *err)
{
	struct sv kept;

	if (!grow_pointers(&p->arena, &p->fields, p->field_count)) {
		flt_field_done(f);
		return error_nomem(err);
	}
	f->id = p->field_count;
	p->fields[p->field_count++] = f;
	if (flt_field_is_stateful(f))
		return 0;
	kept = arena_sv(&p->arena, buf_view(key));
	if (!kept.p || smap_put(&p->field_map, kept, f) < 0)
		return error_nomem(err);
	return 0;
}

int flt_program_field(struct flt_program *p, const struct flt_expr *e, enum flt_purpose purpose,
		      const struct flt_field **out, struct error *err)
{
	struct flt_field *f = NULL;
	struct buf key = {0};
	int rc = 0;

	buf_char(&key, (char)('0' + (int)purpose));
	flt_expr_key(&key, e);
	if (key.failed) {
		rc = error_nomem(err);
		goto out;
	}
	f = smap_get(&p->field_map, buf_view(&key));
	if (!f) {
		rc = flt_field_resolve(&p->options, &p->arena, e->text, e->has_arg, e->arg, purpose,
				       &f, err);
		if (rc == 0)
			rc = add_field(p, f, &key, err);
	}
	if (rc == 0)
		*out = f;
out:
	buf_done(&key);
	return rc;
}

int flt_check_operand(struct flt_program *p, struct sv text, struct error *err)
{
	const struct flt_operand *operand;
	struct arena arena = {0};
	struct flt_expr *e;
	size_t used;
	int rc;

	rc = flt_parse_operand(text, true, &arena, &e, &used, err);
	if (rc == 0 && used != text.n)
		rc = error_set(err, ERR_SYNTAX, "unexpected text after '%.*s'", (int)used, text.p);
	if (rc == 0)
		rc = flt_program_operand(p, e, FLT_FOR_FILTER, &operand, err);
	arena_done(&arena);
	return rc;
}

/* --- conditions --- */

struct adder {
	struct flt_program *program;
	flt_warning_fn warn;
	void *warn_arg;
	struct flt_pos pos;
	struct error *err;
};

/* The depth is limited by the parser and by macro resolution. */
static int add_node(struct adder *a, const struct flt_node *n, struct flt_logic **out)
{
	struct flt_logic *l = arena_zalloc(&a->program->arena, 1, sizeof(*l));

	if (!l)
		return error_nomem(a->err);
	*out = l;
	l->kind = n->kind;
	if (n->kind == FLT_MACRO) {
		a->pos = n->pos;
		return error_set(a->err, ERR_COMPILE, "undefined macro '%.*s'", (int)n->name.n,
				 n->name.p);
	}
	if (n->kind == FLT_CHECK) {
		if (a->warn)
			flt_warn_about(n, a->warn, a->warn_arg);
		return flt_program_check(a->program, n, &l->test, &a->pos, a->err);
	}
	l->count = n->count;
	l->kids = arena_zalloc(&a->program->arena, n->count, sizeof(*l->kids));
	if (!l->kids)
		return error_nomem(a->err);
	for (uint32_t i = 0; i < n->count; i++) {
		int rc = add_node(a, n->kids[i], &l->kids[i]);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Fields and tests of a condition that is refused stay in the program, unused. */
int flt_program_add(struct flt_program *p, const struct flt_node *n, flt_warning_fn warn,
		    void *warn_arg, unsigned *id, struct flt_pos *pos, struct error *err)
{
	struct adder a = {
	    .program = p, .warn = warn, .warn_arg = warn_arg, .pos = n->pos, .err = err};
	struct flt_logic *l;
	int rc = add_node(&a, n, &l);

	if (rc == 0 && !grow_pointers(&p->arena, &p->conditions, p->condition_count))
		rc = error_nomem(err);
	if (rc < 0) {
		if (pos)
			*pos = a.pos;
		return rc;
	}
	*id = p->condition_count;
	p->conditions[p->condition_count++] = l;
	return 0;
}

int flt_program_batch(struct flt_program *p, unsigned type, const unsigned *conditions,
		      size_t count, struct error *err)
{
	struct flt_agenda *agenda = &p->agendas[type];
	unsigned *copy = arena_zalloc(&p->arena, count, sizeof(*copy));

	if (!copy)
		return error_nomem(err);
	if (count)
		memcpy(copy, conditions, count * sizeof(*copy));
	agenda->conditions = copy;
	agenda->count = (uint32_t)count;
	if (p->agenda_max < count)
		p->agenda_max = (uint32_t)count;
	return 0;
}
