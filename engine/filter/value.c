/* SPDX-License-Identifier: Apache-2.0 */
/* Field values as text and as JSON. */
#include "base/json.h"
#include "engine/filter/fields.h"

enum flt_class flt_type_class(unsigned ptype)
{
	switch ((enum ev_ptype)ptype) {
	case PT_INT8:
	case PT_INT16:
	case PT_INT32:
	case PT_INT64:
	case PT_ERRNO:
	case PT_FD:
	case PT_FD32:
	case PT_PID:
	case PT_PID32:
		return FLT_CLASS_SIGNED;
	case PT_UINT8:
	case PT_UINT16:
	case PT_UINT32:
	case PT_UINT64:
	case PT_SYSCALLID:
	case PT_SIGTYPE:
	case PT_RELTIME:
	case PT_ABSTIME:
	case PT_PORT:
	case PT_L4PROTO:
	case PT_SOCKFAMILY:
	case PT_FLAGS8:
	case PT_FLAGS16:
	case PT_FLAGS32:
	case PT_ENUMFLAGS8:
	case PT_ENUMFLAGS16:
	case PT_ENUMFLAGS32:
	case PT_UID:
	case PT_GID:
	case PT_MODE:
	case PT_SIGSET:
		return FLT_CLASS_UNSIGNED;
	case PT_BOOL:
		return FLT_CLASS_BOOL;
	case PT_DOUBLE:
		return FLT_CLASS_DOUBLE;
	case PT_CHARBUF:
	case PT_FSPATH:
	case PT_FSRELPATH:
		return FLT_CLASS_TEXT;
	case PT_BYTEBUF:
		return FLT_CLASS_BYTES;
	case PT_IPV4ADDR:
	case PT_IPV6ADDR:
	case PT_IPADDR:
		return FLT_CLASS_ADDR;
	case PT_IPV4NET:
	case PT_IPV6NET:
	case PT_IPNET:
		return FLT_CLASS_NET;
	default:
		return FLT_CLASS_OTHER;
	}
}

static void integer_text(const struct flt_value *v, const struct flt_datum *d, bool is_signed,
			 struct buf *out)
{
	unsigned width = ev_ptype_width(v->type);
	uint64_t masked = width && width < 8 ? d->u & ((1ull << 8 * width) - 1) : d->u;

	if (v->format == PF_HEX)
		buf_hex(out, masked);
	else if (v->format == PF_OCT)
		buf_octal(out, masked);
	else if (v->format == PF_10_PADDED_DEC && width == 8)
		buf_u64_padded(out, d->u, 9);
	else if (is_signed)
		buf_i64(out, d->i);
	else
		buf_u64(out, d->u);
}

/* Bytes as text, in what is left of the limit for them. */
static void limited_bytes(struct flt_ctx *cx, const struct flt_datum *d, struct buf *out)
{
	size_t start = out->len;
	size_t n = d->n < FLT_BUFFER_TEXT_MAX ? d->n : FLT_BUFFER_TEXT_MAX;

	flt_bytes_text(cx->options, sv_make(d->p, n), out);
	if (out->len > start + FLT_BUFFER_TEXT_MAX)
		out->len = start + FLT_BUFFER_TEXT_MAX;
}

/* A text ends at its first NUL. */
static struct sv text_of(const struct flt_datum *d)
{
	return sv_make(d->p, d->n ? strnlen(d->p, d->n) : 0);
}

static void datum_text(struct flt_ctx *cx, const struct flt_value *v, const struct flt_datum *d,
		       struct buf *out)
{
	switch (flt_type_class(v->type)) {
	case FLT_CLASS_SIGNED:
		integer_text(v, d, true, out);
		break;
	case FLT_CLASS_UNSIGNED:
		integer_text(v, d, false, out);
		break;
	case FLT_CLASS_BOOL:
		buf_str(out, d->u ? "true" : "false");
		break;
	case FLT_CLASS_DOUBLE:
		buf_addf(out, "%.1f", d->d);
		break;
	case FLT_CLASS_TEXT:
		buf_sv(out, text_of(d));
		break;
	case FLT_CLASS_BYTES:
		limited_bytes(cx, d, out);
		break;
	case FLT_CLASS_ADDR:
		flt_addr_text(out, sv_make(d->p, d->n));
		break;
	case FLT_CLASS_NET:
		buf_lit(out, "<IPNET>");
		break;
	case FLT_CLASS_OTHER:
		break;
	}
}

static NOINLINE void list_text(struct flt_ctx *cx, const struct flt_value *v, struct buf *out)
{
	size_t start = out->len;

	buf_char(out, '(');
	for (uint32_t i = 0; i < v->count; i++) {
		if (i)
			buf_char(out, ',');
		datum_text(cx, v, &v->items[i], out);
	}
	buf_char(out, ')');
	if (out->len > start + FLT_LIST_TEXT_MAX)
		out->len = start + FLT_LIST_TEXT_MAX;
}

void flt_value_text(struct flt_ctx *cx, const struct flt_value *v, struct buf *out)
{
	if (LIKELY(v->match != FLT_MATCH_LIST))
		datum_text(cx, v, &v->items[0], out);
	else
		list_text(cx, v, out);
}

/* Timestamps shown as text stay numbers in JSON: extractors leave the time beside the text. */
static bool is_clock(const struct flt_field *f)
{
	return f && f->extract == flt_x_time_text;
}

static void double_json(double d, struct buf *out)
{
	size_t start = out->len;

	if (!(d - d == 0)) { /* neither NaN nor infinite has a JSON form */
		buf_lit(out, "null");
		return;
	}
	buf_addf(out, "%.17g", d);
	if (out->p && !memchr(out->p + start, '.', out->len - start) &&
	    !memchr(out->p + start, 'e', out->len - start))
		buf_lit(out, ".0");
}

/* Are numbers of this type and format written as JSON strings? */
static bool number_is_quoted(const struct flt_value *v)
{
	switch (v->format) {
	case PF_DEC:
	case PF_ID:
	case PF_10_PADDED_DEC:
		return false;
	case PF_HEX:
	case PF_OCT:
		return true;
	default:
		return v->type == PT_INT64 || v->type == PT_PID || v->type == PT_FD;
	}
}

/* What has characters to be escaped only in byte buffers. */
static void quoted(struct flt_ctx *cx, const struct flt_value *v, const struct flt_datum *d,
		   struct buf *out)
{
	if (flt_type_class(v->type) == FLT_CLASS_BYTES) {
		buf_reset(&cx->text);
		datum_text(cx, v, d, &cx->text);
		json_string(out, buf_view(&cx->text));
		return;
	}
	buf_char(out, '"');
	datum_text(cx, v, d, out);
	buf_char(out, '"');
}

static void datum_json(struct flt_ctx *cx, const struct flt_field *f, const struct flt_value *v,
		       const struct flt_datum *d, struct buf *out)
{
	if (UNLIKELY(is_clock(f))) {
		buf_u64(out, d->u);
		return;
	}
	switch (flt_type_class(v->type)) {
	case FLT_CLASS_TEXT:
		json_string(out, text_of(d));
		break;
	case FLT_CLASS_SIGNED:
		if (number_is_quoted(v))
			quoted(cx, v, d, out);
		else
			buf_i64(out, d->i);
		break;
	case FLT_CLASS_UNSIGNED:
		if (number_is_quoted(v))
			quoted(cx, v, d, out);
		else
			buf_u64(out, d->u);
		break;
	case FLT_CLASS_BOOL:
		buf_str(out, d->u ? "true" : "false");
		break;
	case FLT_CLASS_DOUBLE:
		double_json(d->d, out);
		break;
	default:
		quoted(cx, v, d, out);
	}
}

static NOINLINE void list_json(struct flt_ctx *cx, const struct flt_field *f,
			       const struct flt_value *v, struct buf *out)
{
	if (v->count == 0) { /* as the reference writes it */
		buf_lit(out, "null");
		return;
	}
	buf_char(out, '[');
	for (uint32_t i = 0; i < v->count; i++) {
		if (i)
			buf_char(out, ',');
		datum_json(cx, f, v, &v->items[i], out);
	}
	buf_char(out, ']');
}

void flt_value_json(struct flt_ctx *cx, const struct flt_field *f, const struct flt_value *v,
		    struct buf *out)
{
	if (LIKELY(v->match != FLT_MATCH_LIST))
		datum_json(cx, f, v, &v->items[0], out);
	else
		list_json(cx, f, v, out);
}
