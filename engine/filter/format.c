/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output formats: literal text and "%[WIDTH]field" parts. A part is as long as it can be: of
 * "%proc.nameX" the field is proc.name, and X is text.
 */
#include <stdlib.h>

#include "base/json.h"
#include "engine/filter/fields.h"
#include "engine/filter/program.h"

#define WIDTH_MAX	65535
#define NAME_MAX_TRIED	128 /* no field name is longer */
#define SHOWN_IN_ERRORS 80

struct part {
	struct sv literal;		   /* or the field as written */
	const struct flt_operand *operand; /* NULL: just the literal */
	uint32_t width;			   /* 0: as it comes */
};

struct json_field {
	const struct flt_field *field;
	bool twice;    /* shows what a second look at the event finds */
	struct sv key; /* "\"name\":" */
};

struct flt_format {
	bool lenient; /* absent fields print <NA> */
	struct part *parts;
	uint32_t part_count;
	struct json_field *fields; /* distinct, in key order */
	struct sv *names;
	uint32_t field_count;
};

/* --- compiling --- */

struct compiler {
	struct flt_program *program;
	struct flt_format *format;
	struct sv left; /* what is to be compiled yet */
	struct arena scratch;
	struct error *err;
};

static struct part *add_part(struct compiler *c)
{
	return &c->format->parts[c->format->part_count++];
}

static void add_literal(struct compiler *c, size_t n)
{
	if (n)
		add_part(c)->literal = sv_make(c->left.p, n);
	c->left = sv_drop(c->left, n);
}

static bool is_name_byte(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
	       ch == '_' || ch == '.';
}

/* The longest beginning of @c->left that is a field by itself. */
static int shortened_field(struct compiler *c, const struct flt_operand **out, size_t *used)
{
	struct flt_expr e = {.kind = FLT_EXPR_FIELD};
	size_t n = 0;
	int rc;

	while (n < c->left.n && n < NAME_MAX_TRIED && is_name_byte(c->left.p[n]))
		n++;
	for (; n > 0; n--) {
		e.text = sv_make(c->left.p, n);
		if (!flt_field_find(e.text) && !sv_starts(e.text, SV_LIT("static.")))
			continue;
		rc = flt_program_operand(c->program, &e, FLT_FOR_OUTPUT, out, NULL);
		*used = n;
		if (rc == 0 || rc == ERR_NOMEM)
			return rc;
	}
	return ERR_COMPILE;
}

static int compile_operand(struct compiler *c, const struct flt_operand **out, size_t *used)
{
	struct error why = {0};
	struct flt_expr *e;
	int rc;

	rc = flt_parse_operand(c->left, true, &c->scratch, &e, used, &why);
	if (rc == 0)
		rc = flt_program_operand(c->program, e, FLT_FOR_OUTPUT, out, &why);
	if (rc < 0 && rc != ERR_NOMEM)
		rc = shortened_field(c, out, used);
	if (rc == 0)
		return 0;
	if (rc == ERR_NOMEM)
		return error_nomem(c->err);
	return error_set(c->err, ERR_COMPILE, "unknown filter: %.*s (%s)",
			 (int)(c->left.n < SHOWN_IN_ERRORS ? c->left.n : SHOWN_IN_ERRORS),
			 c->left.p, why.msg);
}

/* "%20name", without the percent sign. */
static int compile_field(struct compiler *c)
{
	const struct flt_operand *operand;
	struct part *part;
	uint32_t width = 0;
	size_t n = 0;
	int rc;

	while (n < c->left.n && c->left.p[n] >= '0' && c->left.p[n] <= '9') {
		width = width * 10 + (uint32_t)(c->left.p[n++] - '0');
		if (width > WIDTH_MAX)
			return error_set(c->err, ERR_COMPILE,
					 "invalid formatting syntax: a width is at most %d",
					 WIDTH_MAX);
	}
	c->left = sv_drop(c->left, n);
	if (c->left.n == 0)
		return error_set(c->err, ERR_COMPILE,
				 "invalid formatting syntax: the format ends in '%%%s', a field "
				 "name was expected",
				 n ? "WIDTH" : "");
	rc = compile_operand(c, &operand, &n);
	if (rc < 0)
		return rc;
	part = add_part(c);
	part->literal = sv_make(c->left.p, n);
	part->operand = operand;
	part->width = width;
	c->left = sv_drop(c->left, n);
	return 0;
}

static int compile_parts(struct compiler *c)
{
	while (c->left.n) {
		const char *percent = memchr(c->left.p, '%', c->left.n);
		int rc;

		add_literal(c, percent ? (size_t)(percent - c->left.p) : c->left.n);
		if (!percent)
			break;
		c->left = sv_drop(c->left, 1);
		rc = compile_field(c);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- the fields of the JSON view --- */

static void count_field(void *arg, const struct flt_field *f)
{
	(void)f;
	++*(uint32_t *)arg;
}

static void collect_field(void *arg, const struct flt_field *f)
{
	struct flt_format *format = arg;

	format->fields[format->field_count++].field = f;
}

static int by_name(const void *a, const void *b)
{
	const struct json_field *x = a, *y = b;

	return sv_cmp(x->field->text, y->field->text);
}

static void sort_fields(struct flt_format *f)
{
	uint32_t kept = 0;

	qsort(f->fields, f->field_count, sizeof(*f->fields), by_name);
	for (uint32_t i = 0; i < f->field_count; i++)
		if (!kept || by_name(&f->fields[kept - 1], &f->fields[i]) != 0)
			f->fields[kept++] = f->fields[i];
	f->field_count = kept;
}

/*
 * The reference looks at each field of a JSON line twice and shows the second answer. What tells
 * the time since the last look is then 0, and what counts looks counts in twos.
 */
static bool is_seen_twice(const struct compiler *c, const struct flt_field *f)
{
	return flt_field_is_stateful(f) && !flt_program_options(c->program)->corrected;
}

static int make_keys(struct compiler *c)
{
	struct arena *arena = flt_program_arena(c->program);
	struct flt_format *f = c->format;
	struct buf b = {0};

	f->names = arena_zalloc(arena, f->field_count + 1, sizeof(*f->names));
	for (uint32_t i = 0; f->names && i < f->field_count; i++) {
		buf_reset(&b);
		json_string(&b, f->fields[i].field->text);
		buf_char(&b, ':');
		f->names[i] = f->fields[i].field->text;
		f->fields[i].twice = is_seen_twice(c, f->fields[i].field);
		f->fields[i].key = arena_sv(arena, buf_view(&b));
		if (b.failed || !f->fields[i].key.p)
			f->names = NULL;
	}
	buf_done(&b);
	return f->names ? 0 : error_nomem(c->err);
}

static int compile_fields(struct compiler *c)
{
	struct flt_format *f = c->format;
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->part_count; i++)
		if (f->parts[i].operand)
			flt_operand_fields(f->parts[i].operand, count_field, &n);
	f->fields = arena_zalloc(flt_program_arena(c->program), n + 1, sizeof(*f->fields));
	if (!f->fields)
		return error_nomem(c->err);
	for (uint32_t i = 0; i < f->part_count; i++)
		if (f->parts[i].operand)
			flt_operand_fields(f->parts[i].operand, collect_field, f);
	sort_fields(f);
	return make_keys(c);
}

/* Each percent sign makes at most two parts. */
static size_t most_parts(struct sv text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.n; i++)
		n += 2 * (text.p[i] == '%');
	return n;
}

int flt_format_new(struct flt_program *p, struct sv text, struct flt_format **out,
		   struct error *err)
{
	struct arena *arena = flt_program_arena(p);
	struct compiler c = {.program = p, .err = err};
	int rc;

	c.format = arena_zalloc(arena, 1, sizeof(*c.format));
	if (!c.format)
		return error_nomem(err);
	c.format->lenient = text.n && text.p[0] == '*';
	c.left = arena_sv(arena, c.format->lenient ? sv_drop(text, 1) : text);
	c.format->parts = arena_zalloc(arena, most_parts(text), sizeof(*c.format->parts));
	if (!c.left.p || !c.format->parts)
		return error_nomem(err);
	if (c.left.n == 0)
		return error_set(err, ERR_COMPILE, "invalid formatting syntax: empty format");
	rc = compile_parts(&c);
	if (rc == 0)
		rc = compile_fields(&c);
	arena_done(&c.scratch);
	if (rc == 0)
		*out = c.format;
	return rc;
}

size_t flt_format_fields(const struct flt_format *f, const struct sv **names)
{
	*names = f->names;
	return f->field_count;
}

/* --- rendering --- */

/* Bring what was appended since @start to @width bytes. */
static void adjust(struct buf *out, size_t start, size_t width)
{
	size_t end = start + width;

	if (out->len > end)
		out->len = end;
	while (out->len < end && !out->failed)
		buf_char(out, ' ');
}

/* Through the memo, so that a field has one value per event even if it counts its uses. */
static const struct flt_value *part_value(struct flt_ctx *cx, const struct flt_operand *o,
					  struct flt_value *room)
{
	if (o->kind == FLT_OPERAND_FIELD)
		return flt_field_value(cx, o->field);
	return flt_operand_eval(cx, o, room) ? room : NULL;
}

bool flt_format_text(struct flt_ctx *cx, const struct flt_format *f, struct buf *out)
{
	size_t start = out->len;

	for (uint32_t i = 0; i < f->part_count; i++) {
		const struct part *part = &f->parts[i];
		size_t before = out->len;
		const struct flt_value *v;
		struct flt_value room;

		if (!part->operand) {
			buf_sv(out, part->literal);
			continue;
		}
		v = part_value(cx, part->operand, &room);
		if (v) {
			flt_value_text(cx, v, out);
		} else if (f->lenient) {
			buf_lit(out, "<NA>");
		} else {
			out->len = start;
			return false;
		}
		if (part->width)
			adjust(out, before, part->width);
	}
	return true;
}

int flt_format_json(struct flt_ctx *cx, const struct flt_format *f, struct buf *out)
{
	size_t start = out->len;
	struct flt_value room;

	for (uint32_t i = 0; i < f->field_count; i++) {
		const struct flt_value *v = flt_field_value(cx, f->fields[i].field);

		if (UNLIKELY(v && f->fields[i].twice))
			v = flt_field_again(cx, f->fields[i].field, &room);
		if (i)
			buf_char(out, ',');
		buf_sv(out, f->fields[i].key);
		if (v) {
			flt_value_json(cx, f->fields[i].field, v, out);
		} else if (f->lenient) {
			buf_lit(out, "null");
		} else {
			out->len = start;
			return -1;
		}
	}
	return (int)f->field_count;
}

/* --- part by part --- */

bool flt_format_part(const struct flt_format *f, size_t i, struct flt_part *out)
{
	const struct part *part;

	if (i >= f->part_count)
		return false;
	part = &f->parts[i];
	*out = (struct flt_part){
	    .text = part->literal, .width = part->width, .is_value = part->operand != NULL};
	return true;
}

int flt_format_part_text(struct flt_ctx *cx, const struct flt_format *f, size_t i, struct buf *out)
{
	const struct part *part = &f->parts[i];
	const struct flt_value *v;
	struct flt_value room;

	if (!part->operand) {
		buf_sv(out, part->literal);
		return 1;
	}
	v = part_value(cx, part->operand, &room);
	if (v)
		flt_value_text(cx, v, out);
	return v ? 1 : f->lenient ? 0 : -1;
}
