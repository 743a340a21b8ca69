/* SPDX-License-Identifier: Apache-2.0 */
/* A field's value with its type, for those who compute with it. */
#include "engine/filter/fields.h"
#include "engine/filter/program.h"

struct flt_column {
	const struct flt_field *field;
};

int flt_column_new(struct flt_program *p, struct sv text, const struct flt_column **out,
		   struct error *err)
{
	struct flt_column *c = arena_zalloc(flt_program_arena(p), 1, sizeof(*c));
	struct arena scratch = {0};
	struct flt_expr *e;
	size_t used = 0;
	int rc = c ? 0 : error_nomem(err);

	*out = NULL;
	if (rc == 0)
		rc = flt_parse_operand(text, false, &scratch, &e, &used, err);
	if (rc == 0 && used != text.n)
		rc = error_set(err, ERR_SYNTAX, "'%.*s' is more than a field", (int)text.n, text.p);
	if (rc == 0)
		rc = flt_program_field(p, e, FLT_FOR_OUTPUT, &c->field, err);
	arena_done(&scratch);
	if (rc == 0 && !flt_field_is_stateful(c->field))
		*out = c;
	return rc;
}

static enum flt_cell_kind kind_of(unsigned type, bool is_list)
{
	if (is_list)
		return FLT_CELL_TEXT;
	switch (flt_type_class(type)) {
	case FLT_CLASS_SIGNED:
		return FLT_CELL_SIGNED;
	case FLT_CLASS_UNSIGNED:
	case FLT_CLASS_BOOL:
		return FLT_CELL_UNSIGNED;
	case FLT_CLASS_DOUBLE:
		return FLT_CELL_REAL;
	case FLT_CLASS_BYTES:
		return FLT_CELL_BYTES;
	default:
		return FLT_CELL_TEXT;
	}
}

enum flt_cell_kind flt_column_kind(const struct flt_column *c)
{
	return kind_of(c->field->type, c->field->is_list);
}

unsigned flt_column_bits(const struct flt_column *c)
{
	enum flt_cell_kind kind = flt_column_kind(c);
	unsigned width = ev_ptype_width(c->field->type);

	if (kind != FLT_CELL_SIGNED && kind != FLT_CELL_UNSIGNED)
		return 0;
	if (flt_type_class(c->field->type) == FLT_CLASS_BOOL)
		return 1;
	return width ? 8 * width : 64;
}

bool flt_column_is_plain(const struct flt_column *c)
{
	const unsigned several = FLT_FIELD_LIST | FLT_FIELD_NO_RHS;

	return !(c->field->info->flags & several) && c->field->extract != flt_x_rawarg;
}

void flt_column_get(struct flt_ctx *cx, const struct flt_column *c, struct flt_cell *out)
{
	const struct flt_value *v = flt_field_value(cx, c->field);
	const struct flt_datum *d;

	*out = (struct flt_cell){.kind = FLT_CELL_NONE};
	if (!v)
		return;
	d = v->items;
	out->kind = kind_of(v->type, v->match == FLT_MATCH_LIST);
	switch (out->kind) {
	case FLT_CELL_SIGNED:
		out->i = d->i;
		break;
	case FLT_CELL_UNSIGNED:
		out->u = d->u;
		break;
	case FLT_CELL_REAL:
		out->d = d->d;
		break;
	case FLT_CELL_BYTES:
		out->text = sv_make(d->p, d->n);
		break;
	default:
		buf_reset(&cx->text);
		flt_value_text(cx, v, &cx->text);
		out->text = buf_view(&cx->text);
	}
}
