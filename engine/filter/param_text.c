/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event parameters as text: a value ("3") and, for most types, what it stands for
 * ("<f>/etc/passwd"). Sizes are the capture's word: numbers of unexpected width are read as far as
 * they go.
 */
#include "engine/filter/fields.h"

#define NO_TIME UINT64_MAX /* a RELTIME that means "no limit" */

struct param { /* one parameter, or the inner value of a dynamic one */
	struct ev *ev;
	unsigned i;
	const struct ev_flag *flags;
	uint8_t type, format;
	const uint8_t *p;
	size_t n;
};

/* Let @p be the value inside a dynamic parameter; a damaged one stays PT_DYN. The outer print
 * format stays, too. */
static void open_dynamic(struct param *p, const struct ev_param_info *info)
{
	if (p->n < 1 || p->p[0] >= info->dyn_count)
		return;
	p->type = info->dyn[p->p[0]].type;
	p->p++;
	p->n--;
}

/* Operations through io_uring have a table of their own. */
static const struct ev_info *info_of(const struct ev *ev)
{
	return UNLIKELY(ev->type == EV_TYPE_URING) ? &ev_uring_info : ev_info(ev);
}

/* Parameter @i; false: the event does not have it. */
static bool param_at(struct ev *ev, unsigned i, struct param *p)
{
	const struct ev_param_info *info;
	struct ev_value v;

	if (i >= ev->nparams || i >= info_of(ev)->nparams)
		return false;
	info = &info_of(ev)->params[i];
	v = ev_param(ev, i);
	*p = (struct param){ev, i, info->flags, info->type, info->format, v.p, v.n};
	if (p->type == PT_DYN)
		open_dynamic(p, info);
	return true;
}

static unsigned width_of(const struct param *p)
{
	unsigned width = ev_ptype_width(p->type);

	return p->n < width ? (unsigned)p->n : width;
}

static uint64_t unsigned_of(const struct param *p)
{
	const unsigned width = width_of(p);
	uint64_t v = 0;

	if (LIKELY(width == 8 || width == 4))
		return width == 8 ? load_u64(p->p) : load_u32(p->p);
	for (unsigned i = width; i-- > 0;)
		v = v << 8 | p->p[i];
	return v;
}

static int64_t signed_of(const struct param *p)
{
	unsigned width = width_of(p);
	unsigned unused = width && width < 8 ? 64 - 8 * width : 0;

	return (int64_t)(unsigned_of(p) << unused) >> unused;
}

static void number_text(const struct param *p, bool as_signed, struct buf *out)
{
	uint64_t v = unsigned_of(p);

	switch (p->format) {
	case PF_HEX:
		buf_hex(out, v);
		break;
	case PF_OCT:
		if (v)
			buf_char(out, '0');
		buf_octal(out, v);
		break;
	case PF_10_PADDED_DEC:
		buf_u64_padded(out, v, 9);
		break;
	default:
		if (as_signed)
			buf_i64(out, signed_of(p));
		else
			buf_u64(out, v);
	}
}

static void add_name(struct buf *out, size_t start, const char *name)
{
	if (out->len > start)
		buf_char(out, '|');
	buf_str(out, name);
}

/* The names of a bit set. @mode: an entry that equals the whole value ends the list. */
static void flag_names(const struct ev_flag *f, uint32_t value, bool mode, struct buf *out)
{
	size_t start = out->len;
	uint32_t rest = value;

	for (; f && f->name; f++) {
		bool whole = f->value == value;

		if (f->value ? (rest & f->value) != f->value && !(mode && whole) : value != 0)
			continue;
		add_name(out, start, f->name);
		rest &= ~f->value;
		if (whole)
			break;
	}
}

static void enum_names(const struct ev_flag *f, uint32_t value, struct buf *out)
{
	size_t start = out->len;

	for (; f && f->name; f++)
		if (f->value == value)
			add_name(out, start, f->name);
}

static void signal_set(uint32_t set, struct buf *out)
{
	size_t start = out->len;

	for (int bit = 0; bit < 32; bit++) {
		const char *name = set >> bit & 1 ? flt_signal_name(bit + 1) : NULL;

		if (!name)
			continue;
		if (out->len > start)
			buf_char(out, ' ');
		buf_str(out, name);
	}
}

static void fd_list(struct flt_ctx *cx, const struct param *p, struct buf *out)
{
	struct cursor c = cursor_of(p->p, p->n);

	for (unsigned left = cursor_u16(&c), first = 1; left; left--, first = 0) {
		int64_t num = (int64_t)cursor_u64(&c);
		unsigned events = cursor_u16(&c);
		const struct state_fd *fd;

		if (c.failed)
			break;
		fd = flt_thread(cx) ? state_fd_find(flt_thread(cx), num) : NULL;
		if (!first)
			buf_char(out, ' ');
		buf_i64(out, num);
		buf_addf(out, ":%c%x", fd ? state_fd_typechar(fd) : '?', events);
	}
}

static void absolute_time(struct flt_ctx *cx, uint64_t ts, struct buf *out)
{
	flt_time_date(out, ts, cx->options ? cx->options->tz_offset_s : 0);
	buf_char(out, '.');
	buf_u64_padded(out, ts % 1000000000u, 9);
}

static bool empty_is_null(unsigned type)
{
	return type == PT_BYTEBUF || type == PT_SOCKTUPLE || type == PT_FDLIST || type == PT_DYN ||
	       type == PT_CHARBUFARRAY || type == PT_CHARBUF_PAIR_ARRAY;
}

static struct sv string_of(const struct param *p)
{
	struct sv s = sv_make(p->p, strnlen((const char *)p->p, p->n));

	return sv_is(s, "(NULL)") ? SV_LIT("<NA>") : s;
}

static void value_text(struct flt_ctx *cx, const struct param *p, struct buf *out)
{
	if (p->n == 0) {
		buf_str(out, empty_is_null(p->type) ? "NULL" : "<NA>");
		return;
	}
	switch ((enum ev_ptype)p->type) {
	case PT_INT8:
	case PT_INT16:
	case PT_INT32:
	case PT_INT64:
	case PT_UINT32: /* all ones are shown as -1 */
	case PT_UINT64:
		number_text(p, true, out);
		break;
	case PT_UINT8:
	case PT_UINT16:
	case PT_MODE:
		number_text(p, false, out);
		break;
	case PT_FD:
	case PT_FD32:
	case PT_PID:
	case PT_PID32:
	case PT_ERRNO:
		buf_i64(out, signed_of(p));
		break;
	case PT_UID:
	case PT_GID:
		if (unsigned_of(p) == EV_NO_ID)
			buf_lit(out, "-1");
		else
			buf_u64(out, unsigned_of(p));
		break;
	case PT_SYSCALLID:
	case PT_SIGTYPE:
	case PT_FLAGS8:
	case PT_FLAGS16:
	case PT_FLAGS32:
	case PT_ENUMFLAGS8:
	case PT_ENUMFLAGS16:
	case PT_ENUMFLAGS32:
		buf_u64(out, unsigned_of(p));
		break;
	case PT_CHARBUF:
	case PT_FSPATH:
	case PT_FSRELPATH:
		buf_sv(out, string_of(p));
		break;
	case PT_BYTEBUF:
	case PT_CHARBUFARRAY:
		flt_bytes_text(cx->options, sv_make(p->p, p->n), out);
		break;
	case PT_SOCKADDR:
		flt_sockaddr_text(out, sv_make(p->p, p->n));
		break;
	case PT_SOCKTUPLE:
		flt_socktuple_text(out, sv_make(p->p, p->n));
		break;
	case PT_FDLIST:
		fd_list(cx, p, out);
		break;
	case PT_SIGSET:
		signal_set((uint32_t)unsigned_of(p), out);
		break;
	case PT_RELTIME:
		if (unsigned_of(p) == NO_TIME)
			buf_lit(out, "none");
		else
			buf_u64(out, unsigned_of(p));
		break;
	case PT_ABSTIME:
		absolute_time(cx, unsigned_of(p), out);
		break;
	case PT_DYN:
		buf_lit(out, "INVALID DYNAMIC PARAMETER");
		break;
	default:
		buf_lit(out, "(n.a.)");
	}
}

static void errno_name(int64_t v, struct buf *out)
{
	const char *name = v < 0 && v > INT16_MIN ? flt_errno_name((int)-v) : NULL;

	if (name)
		buf_str(out, name);
}

static void fd_text(struct flt_ctx *cx, int64_t num, struct buf *out)
{
	static const char l4_chars[] = {
	    [EV_L4_TCP] = 't', [EV_L4_UDP] = 'u', [EV_L4_ICMP] = 'i', [EV_L4_RAW] = 'r'};
	const struct state_fd *fd;
	enum ev_l4proto l4;

	if (num == EV_FD_CWD) {
		buf_lit(out, "AT_FDCWD");
		return;
	}
	if (num < 0) {
		errno_name(num, out);
		return;
	}
	fd = flt_thread(cx) ? state_fd_find(flt_thread(cx), num) : NULL;
	if (!fd)
		return;
	buf_char(out, '<');
	buf_char(out, state_fd_typechar(fd));
	l4 = state_fd_l4proto(fd);
	if ((size_t)l4 < sizeof(l4_chars) && l4_chars[l4])
		buf_char(out, l4_chars[l4]);
	buf_char(out, '>');
	buf_sv(out, state_sv(fd->name));
}

static struct sv owner_name(struct flt_ctx *cx, const struct param *p)
{
	const struct state_str *cid = flt_thread(cx) ? flt_thread(cx)->container_id : NULL;
	uint32_t id = (uint32_t)unsigned_of(p);
	const struct state_user *u;

	if (id == EV_NO_ID)
		return SV_LIT("<NONE>");
	u = p->type == PT_UID ? state_user_find(cx->st, cid, id)
			      : state_group_find(cx->st, cid, id);
	if (u)
		return state_sv(u->name);
	/* Of the host, root is known without a list. */
	return id == 0 && !cid ? SV_LIT("root") : SV_LIT("<NA>");
}

struct sv flt_param_base(struct flt_ctx *cx, struct ev *ev, unsigned i, char room[STATE_PATH_MAX])
{
	const struct ev_param_info *info = &info_of(ev)->params[i];
	int64_t dirfd = EV_FD_CWD;
	const struct state_fd *fd;
	struct sv name;

	if (info->type == PT_FSRELPATH && info->dirfd_param >= 0 &&
	    info_of(ev)->params[info->dirfd_param].type == PT_FD &&
	    !ev_i64(ev, (unsigned)info->dirfd_param, &dirfd))
		return SV_LIT(""); /* old captures may lack it: nobody knows which directory */
	if (dirfd == EV_FD_CWD)
		return state_thread_cwd(flt_thread(cx));
	fd = state_fd_find(flt_thread(cx), dirfd);
	name = fd ? state_sv(fd->name) : SV_NONE;
	if (!name.n)
		return SV_LIT("");
	if (name.p[name.n - 1] == '/')
		return name;
	/* A name that does not fit makes the joined path too long anyway. */
	if (name.n > STATE_PATH_MAX - 1)
		name.n = STATE_PATH_MAX - 1;
	memcpy(room, name.p, name.n);
	room[name.n] = '/';
	return sv_make(room, name.n + 1);
}

struct sv flt_full_path(struct flt_ctx *cx, struct ev *ev, unsigned i, char room[STATE_PATH_MAX])
{
	char base[STATE_PATH_MAX];
	struct sv path = ev_str(ev, i);

	if (path.n == 0 || path.p[0] == '/' || sv_is(path, "<NA>") || !flt_thread(cx))
		return SV_NONE;
	return state_path_concat(room, flt_param_base(cx, ev, i, base), path);
}

static void resolved_text(struct flt_ctx *cx, const struct param *p, struct buf *out)
{
	char room[STATE_PATH_MAX];
	const struct state_thread *t;
	const char *name = NULL;

	if (p->n == 0)
		return;
	switch ((enum ev_ptype)p->type) {
	case PT_FD:
	case PT_FD32:
		fd_text(cx, signed_of(p), out);
		return;
	case PT_PID:
	case PT_PID32:
		t = state_thread_find(cx->st, signed_of(p));
		if (t)
			buf_sv(out, state_sv(t->comm));
		return;
	case PT_ERRNO:
		errno_name(signed_of(p), out);
		return;
	case PT_FSPATH:
	case PT_FSRELPATH:
		buf_sv(out, flt_full_path(cx, p->ev, p->i, room));
		return;
	case PT_SYSCALLID:
		name = ev_syscall_name((unsigned)unsigned_of(p));
		break;
	case PT_SIGTYPE:
		name = flt_signal_name((int)unsigned_of(p));
		break;
	case PT_RELTIME:
		if (unsigned_of(p) != NO_TIME)
			buf_addf(out, "%gs", (double)unsigned_of(p) / 1e9);
		return;
	case PT_FLAGS8:
	case PT_FLAGS16:
	case PT_FLAGS32:
		flag_names(p->flags, (uint32_t)unsigned_of(p), false, out);
		return;
	case PT_MODE:
		flag_names(p->flags, (uint32_t)unsigned_of(p), true, out);
		return;
	case PT_ENUMFLAGS8:
	case PT_ENUMFLAGS16:
	case PT_ENUMFLAGS32:
		enum_names(p->flags, (uint32_t)unsigned_of(p), out);
		return;
	case PT_UID:
	case PT_GID:
		buf_sv(out, owner_name(cx, p));
		return;
	default:
		return;
	}
	if (name)
		buf_str(out, name);
}

void flt_param_text(struct flt_ctx *cx, struct ev *ev, unsigned i, struct buf *value,
		    struct buf *resolved)
{
	struct param p;

	if (!param_at(ev, i, &p))
		return;
	value_text(cx, &p, value);
	resolved_text(cx, &p, resolved);
}

void flt_render_param(struct flt_ctx *cx, struct ev *ev, unsigned i, struct buf *out)
{
	size_t start = out->len;
	struct param p;

	if (!param_at(ev, i, &p))
		return;
	resolved_text(cx, &p, out);
	if (out->len == start)
		value_text(cx, &p, out);
}

/* "name=value(what it stands for)" */
static void assignment(struct flt_ctx *cx, const struct param *p, struct buf *out)
{
	size_t open;

	buf_str(out, info_of(p->ev)->params[p->i].name);
	buf_char(out, '=');
	value_text(cx, p, out);
	open = out->len;
	buf_char(out, '(');
	resolved_text(cx, p, out);
	if (out->len > open + 1)
		buf_char(out, ')');
	else
		out->len = open; /* nothing to put in parentheses */
}

void flt_render_fd(struct flt_ctx *cx, int64_t num, struct buf *out)
{
	size_t open;

	buf_i64(out, num);
	open = out->len;
	buf_char(out, '(');
	fd_text(cx, num, out);
	if (out->len > open + 1)
		buf_char(out, ')');
	else
		out->len = open;
}

void flt_render_arg(struct flt_ctx *cx, struct ev *ev, unsigned i, struct buf *out)
{
	struct param p;

	if (param_at(ev, i, &p))
		assignment(cx, &p, out);
}

void flt_render_args(struct flt_ctx *cx, struct ev *ev, struct buf *out)
{
	struct param p;

	if (ev->type == EV_GENERIC_E || ev->type == EV_GENERIC_X)
		return;
	for (unsigned i = 0; param_at(ev, i, &p); i++) {
		if (i)
			buf_char(out, ' ');
		assignment(cx, &p, out);
	}
}

/* Where the text of parameter @i is stored as it is; false: it must be built. */
static bool stored_text(struct flt_ctx *cx, const struct param *p, struct sv *out)
{
	const struct state_thread *t;
	struct sv path;
	int64_t v;

	if (p->n == 0)
		return false;
	switch ((enum ev_ptype)p->type) {
	case PT_CHARBUF:
		*out = string_of(p);
		return true;
	case PT_FSPATH:
	case PT_FSRELPATH:
		path = string_of(p);
		*out = path;
		return path.n && path.p[0] == '/';
	case PT_PID:
		t = state_thread_find(cx->st, signed_of(p));
		*out = t ? state_sv(t->comm) : SV_NONE;
		return out->n > 0;
	case PT_FD: /* or what a call failed with */
	case PT_FD32:
		if (signed_of(p) == EV_FD_CWD)
			return false;
		/* fall through */
	case PT_ERRNO:
		v = signed_of(p);
		*out = v < 0 && v > INT16_MIN ? sv_of(flt_errno_name((int)-v)) : SV_NONE;
		return out->p != NULL;
	case PT_UID:
	case PT_GID:
		*out = owner_name(cx, p);
		return out->n > 0;
	default:
		return false;
	}
}

struct sv flt_param_view(struct flt_ctx *cx, unsigned i)
{
	struct param p;
	struct sv s;

	if (!param_at(cx->ev, i, &p))
		return SV_LIT("");
	if (stored_text(cx, &p, &s))
		return s;
	buf_reset(&cx->text);
	flt_render_param(cx, cx->ev, i, &cx->text);
	return flt_keep_text(cx);
}
