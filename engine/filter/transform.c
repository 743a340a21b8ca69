/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter/transform.h"

#include "engine/filter/getopt.h"
#include "engine/filter/operand.h"

/* --- checking arguments --- */

static const char *name_of(const struct flt_operand *o)
{
	return flt_transform_table[o->transform].name;
}

static bool is_text(const struct flt_operand *o)
{
	return flt_type_class(o->type) == FLT_CLASS_TEXT;
}

static bool is_bytes(const struct flt_operand *o)
{
	return flt_type_class(o->type) == FLT_CLASS_BYTES;
}

static bool is_text_scalar(const struct flt_operand *o)
{
	return is_text(o) && !o->is_list;
}

static int check_count(const struct flt_operand *o, uint32_t least, uint32_t most,
		       struct error *err)
{
	if (o->count >= least && o->count <= most)
		return 0;
	if (most == UINT32_MAX)
		return error_set(err, ERR_COMPILE,
				 "transformer '%s' takes at least %u arguments, not %u", name_of(o),
				 least, o->count);
	return error_set(err, ERR_COMPILE, "transformer '%s' takes %u argument%s, not %u",
			 name_of(o), least, least == 1 ? "" : "s", o->count);
}

static int refuse_type(const struct flt_operand *o, const char *expected, struct error *err)
{
	return error_set(err, ERR_COMPILE, "transformer '%s' takes %s", name_of(o), expected);
}

/* One argument; the result is of its type, element by element for lists. */
static int check_unary(struct flt_operand *o, bool takes, const char *expected, struct error *err)
{
	if (!takes)
		return refuse_type(o, expected, err);
	o->type = o->items[0]->type;
	o->format = o->items[0]->format;
	o->is_list = o->items[0]->is_list;
	return 0;
}

static int check_text(struct flt_operand *o, struct error *err)
{
	int rc = check_count(o, 1, 1, err);

	return rc < 0 ? rc : check_unary(o, is_text(o->items[0]), "a text", err);
}

static int check_b64(struct flt_operand *o, struct error *err)
{
	int rc = check_count(o, 1, 1, err);

	return rc < 0 ? rc
		      : check_unary(o, is_text(o->items[0]) || is_bytes(o->items[0]),
				    "a text or a buffer", err);
}

static int check_len(struct flt_operand *o, struct error *err)
{
	int rc = check_count(o, 1, 1, err);

	if (rc < 0)
		return rc;
	if (!o->items[0]->is_list && !is_text(o->items[0]) && !is_bytes(o->items[0]))
		return refuse_type(o, "a text, a buffer or a list", err);
	o->type = PT_UINT64;
	o->format = PF_DEC;
	return 0;
}

static void yields_text(struct flt_operand *o, bool is_list)
{
	o->type = PT_CHARBUF;
	o->format = PF_NA;
	o->is_list = is_list;
}

/* What can be an element of a joined list: texts, and numbers, which become decimal texts. */
static bool can_join(const struct flt_operand *o)
{
	enum flt_class class = flt_type_class(o->type);

	return class == FLT_CLASS_TEXT || class == FLT_CLASS_SIGNED || class == FLT_CLASS_UNSIGNED;
}

static int check_join(struct flt_operand *o, struct error *err)
{
	int rc = check_count(o, 2, 2, err);

	if (rc < 0)
		return rc;
	if (!is_text_scalar(o->items[0]) || !o->items[1]->is_list || !can_join(o->items[1]))
		return refuse_type(o, "a text and a list of texts or integers", err);
	yields_text(o, false);
	return 0;
}

static int check_concat(struct flt_operand *o, struct error *err)
{
	int rc = check_count(o, 2, UINT32_MAX, err);

	for (uint32_t i = 0; i < o->count && rc == 0; i++)
		if (!is_text_scalar(o->items[i]))
			rc = refuse_type(o, "texts only", err);
	yields_text(o, false);
	return rc;
}

static int check_getopt(struct flt_operand *o, struct error *err)
{
	int rc = check_count(o, 2, 2, err);

	if (rc < 0)
		return rc;
	if (!o->items[0]->is_list || !is_text(o->items[0]) || !is_text_scalar(o->items[1]))
		return refuse_type(o, "a list of texts and a text", err);
	yields_text(o, !o->has_option);
	return 0;
}

/* --- one text to another --- */

typedef bool (*text_fn)(struct flt_ctx *cx, const struct flt_datum *in, struct flt_datum *out);

/* Apply @fn to the value or to each element of the list. */
static bool map_texts(struct flt_ctx *cx, const struct flt_operand *o, text_fn fn,
		      struct flt_value *out)
{
	struct flt_datum *items;
	struct flt_value in;

	if (!flt_operand_eval(cx, o->items[0], &in))
		return false;
	if (in.match == FLT_MATCH_SCALAR)
		return fn(cx, in.items, &out->one);
	items = arena_alloc(&cx->scratch, in.count * sizeof(*items));
	if (!items)
		return false;
	for (uint32_t i = 0; i < in.count; i++)
		if (!fn(cx, &in.items[i], &items[i]))
			return false;
	out->items = items;
	out->count = in.count;
	return true;
}

/* A copy of @in with the letters from @first to @last in the other case. */
static bool swap_case(struct flt_ctx *cx, const struct flt_datum *in, struct flt_datum *out,
		      char first, char last)
{
	char *p = arena_alloc(&cx->scratch, in->n);

	if (!p)
		return false;
	for (size_t i = 0; i < in->n; i++)
		p[i] = (char)(in->p[i] >= first && in->p[i] <= last ? in->p[i] ^ 0x20 : in->p[i]);
	*out = (struct flt_datum){.p = p, .n = in->n};
	return true;
}

static bool lower_text(struct flt_ctx *cx, const struct flt_datum *in, struct flt_datum *out)
{
	return swap_case(cx, in, out, 'A', 'Z');
}

static bool upper_text(struct flt_ctx *cx, const struct flt_datum *in, struct flt_datum *out)
{
	return swap_case(cx, in, out, 'a', 'z');
}

static bool base_name(struct flt_ctx *cx, const struct flt_datum *in, struct flt_datum *out)
{
	const char *slash = in->n ? memrchr(in->p, '/', in->n) : NULL;
	struct sv name = sv_drop(sv_make(in->p, in->n), slash ? (size_t)(slash - in->p) + 1 : 0);

	(void)cx;
	*out = (struct flt_datum){.p = name.p, .n = name.n};
	return true;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Padding is optional; what is not in the alphabet, or cannot be a whole number of bytes, is not
 * base64. */
static bool decode_base64(struct flt_ctx *cx, const struct flt_datum *in, struct flt_datum *out)
{
	size_t n = in->n, used = 0;
	uint32_t bits = 0;
	char *p;

	for (int i = 0; i < 2 && n && in->p[n - 1] == '='; i++)
		n--;
	p = arena_alloc(&cx->scratch, n);
	if (!p || n % 4 == 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		int six = base64_value(in->p[i]);

		if (six < 0)
			return false;
		bits = bits << 6 | (unsigned)six;
		if (i % 4)
			p[used++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
	}
	*out = (struct flt_datum){.p = p, .n = used};
	return true;
}

static bool apply_tolower(struct flt_ctx *cx, const struct flt_operand *o, struct flt_value *out)
{
	return map_texts(cx, o, lower_text, out);
}

static bool apply_toupper(struct flt_ctx *cx, const struct flt_operand *o, struct flt_value *out)
{
	return map_texts(cx, o, upper_text, out);
}

static bool apply_b64(struct flt_ctx *cx, const struct flt_operand *o, struct flt_value *out)
{
	return map_texts(cx, o, decode_base64, out);
}

static bool apply_basename(struct flt_ctx *cx, const struct flt_operand *o, struct flt_value *out)
{
	return map_texts(cx, o, base_name, out);
}

static bool apply_len(struct flt_ctx *cx, const struct flt_operand *o, struct flt_value *out)
{
	const struct flt_datum *d;
	struct flt_value in;

	if (!flt_operand_eval(cx, o->items[0], &in))
		return false;
	d = in.items;
	if (in.match == FLT_MATCH_LIST)
		return flt_yield_u64(out, in.count);
	if (flt_type_class(in.type) == FLT_CLASS_TEXT)
		return flt_yield_u64(out, d->n ? strnlen(d->p, d->n) : 0);
	return flt_yield_u64(out, d->n);
}

/* --- several texts to one --- */

/* The datums' texts with @separator between them. */
static bool join_texts(struct flt_ctx *cx, const struct flt_datum *items, uint32_t count,
		       struct sv separator, struct flt_value *out)
{
	size_t n = 0;
	char *p, *at;

	for (uint32_t i = 0; i < count; i++)
		n += items[i].n + (i ? separator.n : 0);
	p = at = arena_alloc(&cx->scratch, n);
	if (!p)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (i && separator.n)
			at = mempcpy(at, separator.p, separator.n);
		if (items[i].n)
			at = mempcpy(at, items[i].p, items[i].n);
	}
	return flt_yield_text(out, sv_make(p, n));
}

static bool apply_join(struct flt_ctx *cx, const struct flt_operand *o, struct flt_value *out)
{
	struct flt_value separator, list;

	if (!flt_operand_eval(cx, o->items[0], &separator) ||
	    !flt_operand_eval(cx, o->items[1], &list) || !flt_texts_of(cx, &list))
		return false;
	return join_texts(cx, list.items, list.count,
			  sv_make(separator.items->p, separator.items->n), out);
}

static bool apply_concat(struct flt_ctx *cx, const struct flt_operand *o, struct flt_value *out)
{
	struct flt_datum *items = arena_alloc(&cx->scratch, o->count * sizeof(*items));

	if (!items)
		return false;
	for (uint32_t i = 0; i < o->count; i++) {
		struct flt_value v;

		if (!flt_operand_eval(cx, o->items[i], &v))
			return false;
		items[i] = *v.items;
	}
	return join_texts(cx, items, o->count, SV_LIT(""), out);
}

static bool apply_getopt(struct flt_ctx *cx, const struct flt_operand *o, struct flt_value *out)
{
	struct flt_value args, options;
	struct flt_datum *found;

	if (!flt_operand_eval(cx, o->items[0], &args) ||
	    !flt_operand_eval(cx, o->items[1], &options))
		return false;
	if (o->has_option)
		return flt_getopt_last(args.items, args.count, options.items, o->option, &out->one);
	out->count = flt_getopt_list(args.items, args.count, options.items, NULL);
	found = arena_alloc(&cx->scratch, out->count * sizeof(*found));
	if (!found)
		return false;
	flt_getopt_list(args.items, args.count, options.items, found);
	out->items = found;
	return true;
}

/* --- the table --- */

const struct flt_transform_info flt_transform_table[FLT_TRANSFORM_COUNT] = {
#define TRANSFORM(sym, text, check_fn, apply_fn, about)                                            \
	[FLT_TRANSFORM_##                                                                          \
	    sym] = {.name = (text), .help = (about), .check = (check_fn), .apply = (apply_fn)},
#include "engine/filter/transforms.def"
#undef TRANSFORM
};

const struct flt_transform_info *flt_transform_find(struct sv name)
{
	for (size_t i = 0; i < FLT_TRANSFORM_COUNT; i++)
		if (sv_is(name, flt_transform_table[i].name))
			return &flt_transform_table[i];
	return NULL;
}
