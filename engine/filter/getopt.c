/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter/getopt.h"

struct scan {
	const struct flt_datum *args;
	uint32_t count, at; /* @at: the argument looked at */
	struct sv options;
	struct flt_datum *out; /* all that is found, or NULL */
	uint32_t found;
	char wanted; /* one option's last value goes to @last, or NUL */
	bool has_last;
	struct flt_datum last;
};

static struct flt_datum text(const char *p, size_t n)
{
	return (struct flt_datum){.p = p, .n = n};
}

static void emit(struct scan *s, struct flt_datum d)
{
	if (s->out)
		s->out[s->found] = d;
	s->found++;
}

/* Option character @c has the value @d. */
static void note(struct scan *s, char c, struct flt_datum d)
{
	if (s->wanted && c == s->wanted) {
		s->last = d;
		s->has_last = true;
	}
}

static const char *find_option(const struct scan *s, char c)
{
	return c != ':' && s->options.n ? memchr(s->options.p, c, s->options.n) : NULL;
}

static bool takes_argument(const struct scan *s, const char *option)
{
	const char *next = option + 1;

	return next < s->options.p + s->options.n && *next == ':';
}

/* @arg starts with an option that takes an argument: the rest of it, else the next argument. */
static void scan_argument(struct scan *s, struct sv arg)
{
	struct flt_datum value;

	if (arg.n == 1 && s->at + 1 == s->count) {
		value = text("", 0);
		emit(s, value);
	} else {
		value = arg.n > 1 ? text(arg.p + 1, arg.n - 1) : s->args[++s->at];
		emit(s, text(arg.p, 1));
		emit(s, value);
	}
	note(s, arg.p[0], value);
}

/* The characters after the "-" of one argument. */
static void scan_letters(struct scan *s, struct sv arg)
{
	for (; arg.n; arg = sv_drop(arg, 1)) {
		const char *option = find_option(s, arg.p[0]);

		if (!option) {
			emit(s, text("?", 1));
			continue;
		}
		if (takes_argument(s, option)) {
			scan_argument(s, arg);
			return;
		}
		emit(s, text(arg.p, 1));
		note(s, arg.p[0], text(arg.p, 1));
	}
}

static void scan(struct scan *s)
{
	if (s->options.n && s->options.p[0] == ':')
		s->options = sv_drop(s->options, 1);
	for (; s->at < s->count; s->at++) {
		struct sv arg = sv_make(s->args[s->at].p, s->args[s->at].n);

		if (arg.n < 2 || arg.p[0] != '-' || sv_is(arg, "--"))
			return;
		if (arg.p[1] != '-')
			scan_letters(s, sv_drop(arg, 1));
	}
}

uint32_t flt_getopt_list(const struct flt_datum *args, uint32_t count,
			 const struct flt_datum *options, struct flt_datum *out)
{
	struct scan s = {
	    .args = args, .count = count, .options = {options->p, options->n}, .out = out};

	scan(&s);
	return s.found;
}

bool flt_getopt_last(const struct flt_datum *args, uint32_t count, const struct flt_datum *options,
		     char option, struct flt_datum *out)
{
	struct scan s = {
	    .args = args, .count = count, .options = {options->p, options->n}, .wanted = option};

	scan(&s);
	*out = s.last;
	return s.has_last;
}
