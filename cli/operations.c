/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/operations.h"

#include "base/json.h"

/* The number that parameter @i has; false: it has none. */
static bool number_of(struct ev *ev, unsigned i, int64_t *out)
{
	struct ev_value v = ev_param(ev, i);
	unsigned width = ev_ptype_width(ev_uring_info.params[i].type);
	uint64_t n = 0;

	if (!width || v.n != width)
		return false;
	for (unsigned k = width; k-- > 0;)
		n = n << 8 | v.p[k];
	*out = (int64_t)n;
	return true;
}

/* An index of the ring's own table, which nobody here knows. */
static bool is_index(struct ev *ev, unsigned i)
{
	uint32_t slot;
	uint8_t flags, op;

	if (i != EV_URING_FD || !ev_u8(ev, EV_URING_SQE_FLAGS, &flags))
		return false;
	if (flags & EV_URING_FIXED_FILE)
		return true;
	return ev_u8(ev, EV_URING_OP, &op) && op == EV_URING_CLOSE &&
	       ev_u32(ev, EV_URING_FILE_SLOT, &slot) && slot;
}

static bool opens(struct ev *ev)
{
	uint8_t op = 0;

	ev_u8(ev, EV_URING_OP, &op);
	return op == EV_URING_OPENAT || op == EV_URING_OPENAT2 || op == EV_URING_ACCEPT ||
	       op == EV_URING_SOCKET;
}

/* Is the result a descriptor? */
static bool gives_descriptor(struct ev *ev, int64_t *fd)
{
	uint32_t slot;

	return opens(ev) && ev_u32(ev, EV_URING_FILE_SLOT, &slot) && slot == 0 &&
	       ev_i64(ev, EV_URING_RES, fd) && *fd >= 0;
}

/* --- text --- */

/* The names of a number: one of them for the operation, all bits for flags. */
static void add_names(struct buf *out, unsigned i, uint64_t value)
{
	const struct ev_flag *f = ev_uring_info.params[i].flags;
	char before = '(';

	for (; f && f->name; f++) {
		bool one = i == EV_URING_OP || i == EV_URING_FILE_SLOT;

		if (one ? f->value != value : !(f->value & value))
			continue;
		buf_char(out, before);
		buf_str(out, f->name);
		before = '|';
	}
	if (before != '(')
		buf_char(out, ')');
}

/* Lines leave out what an operation does not use, and what only its program can understand. */
static bool is_worth_a_word(struct ev *ev, unsigned i)
{
	int64_t n;

	switch (i) {
	case EV_URING_RES:
	case EV_URING_OP:
		return true;
	case EV_URING_USER_DATA:
	case EV_URING_SUBMITTED:
		return false;
	case EV_URING_FD:
	case EV_URING_FD2:
		return number_of(ev, i, &n) && n != -1;
	default:
		return number_of(ev, i, &n) ? n != 0 : ev_param(ev, i).n != 0;
	}
}

/* A value and what it stands for. */
static void add_word(struct flt_ctx *cx, struct ev *ev, unsigned i, struct buf *out)
{
	const struct ev_param_info *info = &ev_uring_info.params[i];
	int64_t n;

	if (i == EV_URING_RES && gives_descriptor(ev, &n)) {
		buf_lit(out, "res=");
		flt_render_fd(cx, n, out);
	} else if (is_index(ev, i) && number_of(ev, i, &n)) {
		buf_addf(out, "fd=%lld", (long long)n);
	} else {
		flt_render_arg(cx, ev, i, out);
	}
	if (info->flags && info->type != PT_FLAGS32 && number_of(ev, i, &n))
		add_names(out, i, (uint64_t)n);
}

static void add_words(struct flt_ctx *cx, struct ev *ev, struct buf *out)
{
	const char *between = "";

	for (unsigned i = 0; i < EV_URING_PARAMS && i < ev->nparams; i++) {
		if (!is_worth_a_word(ev, i))
			continue;
		buf_str(out, between);
		between = " ";
		add_word(cx, ev, i, out);
	}
}

static void add_line(struct cli_show *head, struct flt_ctx *cx, struct ev *ev, struct buf *out)
{
	size_t start = out->len;

	if (!cli_show_event(head, cx, true, out))
		return;
	if (out->len > start)
		out->len--; /* its line end */
	buf_reset(&head->value);
	add_words(cx, ev, &head->value);
	cli_safe(out, buf_view(&head->value));
	out->failed |= head->value.failed;
	buf_char(out, '\n');
}

/* --- JSON --- */

static void add_value(struct cli_show *s, struct flt_ctx *cx, struct ev *ev, unsigned i,
		      struct buf *out)
{
	const struct ev_param_info *info = &ev_uring_info.params[i];
	int64_t n;

	if (number_of(ev, i, &n)) {
		if (info->type == PT_UINT64)
			buf_u64(out, (uint64_t)n);
		else
			buf_i64(out, n);
		return;
	}
	buf_reset(&s->value);
	flt_render_param(cx, ev, i, &s->value);
	json_string(out, buf_view(&s->value));
	out->failed |= s->value.failed;
}

/* Names of results and operations, beside their numbers. */
static void add_names_known(struct ev *ev, struct buf *out)
{
	const char *error = NULL;
	uint8_t op;
	int64_t res;

	if (number_of(ev, EV_URING_RES, &res) && res < 0 && res > INT16_MIN)
		error = flt_errno_name((int)-res);
	if (error)
		buf_addf(out, ",\"error\":\"%s\"", error);
	if (!ev_u8(ev, EV_URING_OP, &op))
		return;
	for (const struct ev_flag *f = ev_uring_info.params[EV_URING_OP].flags; f->name; f++)
		if (f->value == op)
			buf_addf(out, ",\"operation\":\"%s\"", f->name);
}

/* Of the descriptor it gave, or the one it is about, as fd.name of events. */
static void add_fd_name(const struct state_thread *t, struct ev *ev, struct buf *out)
{
	const struct state_fd *fd = NULL;
	int64_t num;

	if (opens(ev) ? !gives_descriptor(ev, &num)
		      : is_index(ev, EV_URING_FD) || !ev_i64(ev, EV_URING_FD, &num))
		return;
	fd = state_fd_find(t, num);
	if (!fd || !fd->name)
		return;
	buf_lit(out, ",\"fd.name\":");
	json_string(out, state_sv(fd->name));
}

static void add_object(struct cli_show *s, struct flt_ctx *cx, const struct state *st,
		       struct ev *ev, struct buf *out)
{
	const struct state_thread *t = state_thread_find(st, ev->tid);

	buf_addf(out, "{\"io_uring\":{\"time\":%llu,\"cpu\":%d,\"tid\":%lld",
		 (unsigned long long)ev->ts, ev->cpu, (long long)ev->tid);
	if (t) {
		buf_lit(out, ",\"process\":");
		json_string(out, state_sv(t->comm));
	}
	add_names_known(ev, out);
	if (t)
		add_fd_name(t, ev, out);
	for (unsigned i = 0; i < EV_URING_PARAMS && i < ev->nparams; i++) {
		if (ev_param(ev, i).n == 0)
			continue;
		buf_addf(out, ",\"%s\":", ev_uring_info.params[i].name);
		add_value(s, cx, ev, i, out);
	}
	buf_lit(out, "}}\n");
}

void cli_show_operation(struct cli_show *head, struct flt_ctx *cx, const struct state *st,
			struct ev *ev, struct buf *out)
{
	/* Fields know the types of events only: to them it is one without parameters. */
	struct ev plain = {.ts = ev->ts, .tid = ev->tid, .cpu = ev->cpu, .type = EV_GENERIC_X};
	const struct state_binding b = {.ev = &plain};

	flt_ctx_event(cx, &b);
	if (head->form == CLI_FORM_JSON)
		add_object(head, cx, st, ev, out);
	else
		add_line(head, cx, ev, out);
}
