/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/activity/words.h"

#include <string.h>

#include "base/escape.h"
#include "base/json.h"
#include "engine/filter/filter.h"

void act_user_text(struct buf *b, const struct state *st, const struct state_str *container,
		   uint32_t uid)
{
	const struct state_user *u;

	if (uid == EV_NO_ID)
		return;
	u = state_user_find(st, container, uid);
	if (u && state_sv(u->name).n && !sv_is(state_sv(u->name), "<NA>"))
		buf_sv(b, state_sv(u->name));
	else
		buf_u64(b, uid);
}

struct sv act_container_name(const struct state *st, struct sv id)
{
	const struct state_container *c = id.n ? state_container_find(st, id) : NULL;

	return c && state_sv(c->name).n ? state_sv(c->name) : id;
}

void act_tty_text(struct buf *b, uint32_t tty)
{
	enum { TTY = 4, TTYAUX = 5, PTS_FIRST = 136, PTS_LAST = 143, SERIAL_FIRST = 64 };
	uint32_t major = state_dev_major(tty), minor = state_dev_minor(tty);

	if (tty == 0)
		return;
	if (major >= PTS_FIRST && major <= PTS_LAST)
		buf_addf(b, "pts/%u", (major - PTS_FIRST) * 256 + minor);
	else if (major == TTY && minor < SERIAL_FIRST)
		buf_addf(b, "tty%u", minor);
	else if (major == TTY)
		buf_addf(b, "ttyS%u", minor - SERIAL_FIRST);
	else if (major == TTYAUX && minor <= 1)
		buf_str(b, minor ? "console" : "tty");
	else
		buf_addf(b, "%u:%u", major, minor);
}

static bool needs_quotes(struct sv s)
{
	if (s.n == 0)
		return true;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || memchr("'\"\\$`;&|<>()*?#~", s.p[i], 16))
			return true;
	return false;
}

static void quote(struct buf *b, struct sv s)
{
	if (needs_quotes(s))
		escape_shell_always(b, s);
	else
		buf_sv(b, s);
}

/* The strings of an argument block, one a call; @left counts them. */
static bool next_arg(struct sv *args, uint32_t *left, struct sv *out)
{
	size_t n;

	if (*left == 0)
		return false;
	--*left;
	n = args->n ? strnlen(args->p, args->n) : 0;
	*out = sv_make(args->p, n);
	*args = sv_drop(*args, n + 1);
	return true;
}

void act_command_text_of(struct buf *b, struct sv exe, struct sv comm, struct sv args,
			 uint32_t count)
{
	struct sv arg;

	buf_sv(b, exe.n ? exe : comm);
	while (next_arg(&args, &count, &arg)) {
		buf_char(b, ' ');
		quote(b, arg);
	}
}

void act_command_text(struct buf *b, const struct state_thread *t)
{
	act_command_text_of(b, state_sv(t->exe), state_sv(t->comm), state_sv(t->args.block),
			    t->args.count);
}

void act_args_json(struct buf *b, struct sv args, uint32_t count)
{
	struct sv arg;
	char between = '[';

	if (count == 0)
		buf_char(b, '[');
	while (next_arg(&args, &count, &arg)) {
		buf_char(b, between);
		json_string(b, arg);
		between = ',';
	}
	buf_char(b, ']');
}

void act_duration_text(struct buf *b, uint64_t ns)
{
	uint64_t s = ns / 1000000000u, ms = ns / 1000000u;

	if (ms == 0)
		buf_addf(b, "%uus", (unsigned)(ns / 1000));
	else if (s == 0)
		buf_addf(b, "%ums", (unsigned)ms);
	else if (s < 60)
		buf_addf(b, "%u.%us", (unsigned)s, (unsigned)(ms % 1000 / 100));
	else if (s < 3600)
		buf_addf(b, "%um%02us", (unsigned)(s / 60), (unsigned)(s % 60));
	else if (s < 86400)
		buf_addf(b, "%uh%02um", (unsigned)(s / 3600), (unsigned)(s / 60 % 60));
	else
		buf_addf(b, "%ud%02uh", (unsigned)(s / 86400), (unsigned)(s / 3600 % 24));
}

void act_size_text(struct buf *b, uint64_t n)
{
	static const char units[] = " kMGTPE";
	double v = (double)n;
	unsigned u = 0;

	for (; v >= 999.5 && u + 1 < sizeof(units) - 1; u++)
		v /= 1000;
	if (u == 0)
		buf_u64(b, n);
	else
		buf_addf(b, v < 9.95 ? "%.1f%c" : "%.0f%c", v, units[u]);
}

int64_t act_pid(const struct state_thread *t)
{
	return t->pid > 0 ? t->pid : t->tid;
}

void act_status_text(struct buf *b, int64_t status)
{
	const char *name;
	int signal = (int)(status & 0x7f);

	if (status < 0)
		return;
	if (signal == 0) {
		buf_addf(b, "exit %u", (unsigned)(status >> 8 & 0xff));
		return;
	}
	name = flt_signal_name(signal);
	if (name)
		buf_str(b, name);
	else
		buf_addf(b, "signal %d", signal);
	if (status & 0x80)
		buf_lit(b, ", core");
}

void act_open_flags_text(struct buf *b, uint32_t flags)
{
	const struct ev_flag *set = ev_flag_set("file_flags");
	const char *between = "";

	for (; set && set->name && flags; set++) {
		if (!set->value || (flags & set->value) != set->value)
			continue;
		buf_str(b, between);
		buf_str(b, set->name);
		between = "|";
		flags &= ~set->value;
	}
}

struct sv act_directory(struct sv cwd)
{
	if (cwd.n > 1 && cwd.p[cwd.n - 1] == '/')
		cwd.n--;
	return cwd;
}
