/* SPDX-License-Identifier: Apache-2.0 */
/* evt.arg, evt.rawarg and the other fields that show parameters. */
#include "engine/filter/fields.h"

/* Take on the options for what @f is used for. Return: those to go back to. */
static const struct flt_options *options_for(struct flt_ctx *cx, const struct flt_field *f)
{
	const struct flt_options *shown = cx->options;

	if (f->purpose == FLT_FOR_FILTER)
		cx->options = cx->condition_options;
	return shown;
}

bool flt_x_args(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct flt_options *shown = options_for(cx, f);

	buf_reset(&cx->text);
	flt_render_args(cx, cx->ev, &cx->text);
	cx->options = shown;
	return flt_yield_built(cx, out);
}

bool flt_param_of_field(struct flt_ctx *cx, const struct flt_field *f, unsigned *i)
{
	int64_t index = f->index;

	if (f->data)
		index = ((const int8_t *)f->data)[cx->ev->type];
	if (index < 0 || index >= cx->ev->nparams)
		return false;
	*i = (unsigned)index;
	return true;
}

bool flt_x_arg(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct flt_options *shown;
	struct sv text;
	unsigned i;

	if (!flt_param_of_field(cx, f, &i))
		return false;
	shown = options_for(cx, f);
	text = flt_param_view(cx, i);
	cx->options = shown;
	return flt_yield_text(out, text);
}

/* The little-endian number in a parameter; wrong widths are read as far as they go. */
static uint64_t number_of(struct ev_value v, unsigned width, bool is_signed)
{
	unsigned n = v.n < width ? (unsigned)v.n : width;
	unsigned unused = 64 - 8 * n;
	uint64_t u = 0;

	if (n == 0)
		return 0;
	for (unsigned k = n; k-- > 0;)
		u = u << 8 | v.p[k];
	return is_signed ? (uint64_t)((int64_t)(u << unused) >> unused) : u;
}

/* A present parameter with the type the event gives it. */
static bool raw_value(struct flt_ctx *cx, unsigned i, struct ev_value v, struct flt_value *out)
{
	unsigned width = ev_ptype_width(out->type);

	switch (flt_type_class(out->type)) {
	case FLT_CLASS_SIGNED:
		return flt_yield_u64(out, number_of(v, width, true));
	case FLT_CLASS_UNSIGNED:
		return flt_yield_u64(out, number_of(v, width, false));
	case FLT_CLASS_BOOL:
		return flt_yield_u64(out, number_of(v, width, false) != 0);
	case FLT_CLASS_DOUBLE:
		if (v.n != sizeof(double))
			return false;
		out->one = (struct flt_datum){0};
		memcpy(&out->one.d, v.p, sizeof(double));
		return true;
	case FLT_CLASS_TEXT:
		return flt_yield_text(out, ev_str(cx->ev, i));
	case FLT_CLASS_ADDR:
		return (v.n == 4 || v.n == 16) && flt_yield_text(out, sv_make(v.p, v.n));
	default:
		return flt_yield_text(out, sv_make(v.p, v.n));
	}
}

bool flt_x_rawarg(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct ev_param_info *info;
	struct ev_value v;
	unsigned i;

	if (!flt_param_of_field(cx, f, &i))
		return false;
	info = &ev_info(cx->ev)->params[i];
	v = ev_param(cx->ev, i);
	out->type = info->type;
	out->format = info->format;
	if (f->purpose == FLT_FOR_OUTPUT && flt_type_class(info->type) == FLT_CLASS_OTHER) {
		out->type = PT_CHARBUF; /* no text of its own but that of evt.arg */
		return flt_yield_text(out, flt_param_view(cx, i));
	}
	if (v.n)
		return raw_value(cx, i, v, out);
	if (f->purpose == FLT_FOR_FILTER)
		return false;
	return flt_type_class(info->type) == FLT_CLASS_TEXT ? flt_yield_text(out, SV_LIT("<NA>"))
							    : flt_yield_u64(out, 0);
}

bool flt_x_buffer(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	int i = ev_param_index(cx->ev->type, "data");
	struct ev_value v;

	if (i < 0 || i >= cx->ev->nparams)
		return false;
	v = ev_param(cx->ev, (unsigned)i);
	if (f->purpose == FLT_FOR_FILTER)
		return flt_yield_text(out, sv_make(v.p, v.n));
	if (v.n && ev_info(cx->ev)->params[i].type == PT_BYTEBUF)
		return flt_yield_text(out, sv_make(v.p, v.n));
	out->type = PT_CHARBUF;
	return flt_yield_text(out, flt_param_view(cx, (unsigned)i));
}

/* --- evt.abspath --- */

/* Parameters with directory descriptor and path of an *at call; @second: of its second path. */
static bool at_params(unsigned type, bool second, unsigned *dir, unsigned *path)
{
	switch (type) {
	case EV_RENAMEAT_X:
	case EV_RENAMEAT2_X:
	case EV_LINKAT_2_X:
		*dir = second ? 3 : 1;
		break;
	case EV_SYMLINKAT_X:
		*dir = 2;
		break;
	case EV_OPENAT_2_X:
	case EV_OPENAT2_X:
	case EV_UNLINKAT_2_X:
	case EV_MKDIRAT_X:
	case EV_FCHMODAT_X:
	case EV_FCHOWNAT_X:
		*dir = 1;
		break;
	default:
		return false;
	}
	*path = *dir + 1;
	return true;
}

/* What a relative path of such a call starts from. */
static struct sv at_base(struct flt_ctx *cx, const struct state_thread *t, int64_t dirfd)
{
	const struct state_fd *fd;

	if (dirfd == EV_FD_CWD)
		return state_thread_cwd(t);
	fd = state_fd_find(t, dirfd);
	if (!fd)
		return SV_LIT("<UNKNOWN>/");
	buf_reset(&cx->text);
	buf_sv(&cx->text, state_sv(fd->name));
	buf_char(&cx->text, '/');
	return flt_keep_text(cx);
}

static bool joined_path(struct flt_ctx *cx, struct sv base, struct sv path, struct flt_value *out)
{
	char room[STATE_PATH_MAX];
	struct sv joined = state_path_concat(room, base, path);

	buf_reset(&cx->text);
	buf_sv(&cx->text, joined);
	return flt_yield_built(cx, out);
}

bool flt_x_abspath(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	unsigned dir, at;
	int64_t dirfd;
	struct sv path;

	if (!t)
		return false;
	if (cx->ev->type == EV_OPEN_BY_HANDLE_AT_X) {
		if (!ev_i64(cx->ev, 0, &dirfd) || dirfd <= 0 || ev_param(cx->ev, 3).n == 0)
			return false;
		return joined_path(cx, SV_LIT(""), ev_str(cx->ev, 3), out);
	}
	if (!at_params(cx->ev->type, f->has_arg && sv_is(f->arg, "dst"), &dir, &at) ||
	    !ev_i64(cx->ev, dir, &dirfd) || ev_param(cx->ev, at).n == 0)
		return false;
	path = ev_str(cx->ev, at);
	if (path.n && path.p[0] == '/')
		return joined_path(cx, SV_LIT(""), path, out);
	return joined_path(cx, at_base(cx, t, dirfd), path, out);
}

/* --- evt.infra.* --- */

static struct sv trimmed(struct sv s)
{
	static const char blanks[] = " \t\r\n\v\f";

	while (s.n && strchr(blanks, s.p[0]))
		s = sv_drop(s, 1);
	while (s.n && strchr(blanks, s.p[s.n - 1]))
		s.n--;
	return s;
}

static struct sv up_to(struct sv s, char c)
{
	const char *end = s.n ? memchr(s.p, c, s.n) : NULL;

	return end ? sv_make(s.p, (size_t)(end - s.p)) : s;
}

/* Value of the piece of "Event:x; ID:y; name:z; Image:w" that starts with @key. */
static bool infra_value(struct sv text, const char *key, struct sv *out)
{
	while (text.n) {
		struct sv piece = up_to(text, ';');

		text = sv_drop(text, piece.n + 1);
		piece = trimmed(piece);
		if (!sv_starts(piece, sv_of(key)))
			continue;
		*out = trimmed(sv_drop(piece, up_to(piece, ':').n + 1));
		return true;
	}
	return false;
}

bool flt_x_infra(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	static const char *const keys[] = {[INFRA_NAME] = "Event",
					   [INFRA_ID] = "ID",
					   [INFRA_CONTAINER] = "name",
					   [INFRA_IMAGE] = "Image"};
	struct sv v;

	if (cx->ev->type != EV_INFRASTRUCTURE_EVENT_E ||
	    !infra_value(ev_str(cx->ev, 2), keys[f->code], &v))
		return false;
	if (f->code == INFRA_ID && v.n > 12)
		v.n = 12;
	if (f->code == INFRA_IMAGE) {
		v = up_to(v, '@');
		if (sv_contains(v, SV_LIT("sha256")))
			v = sv_drop(v, up_to(v, ':').n + 1);
	}
	return flt_yield_text(out, v);
}
