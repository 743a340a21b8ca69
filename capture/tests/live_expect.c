/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tests/live_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/defs.h"
#include "capture/wire.h"

#define TEXT 400 /* characters of a value shown */

/* --- showing --- */

static struct ev_value value_at(const struct live_event *e, unsigned i)
{
	uint32_t at = WIRE_HEADER_LEN + 2u * e->nparams;

	for (unsigned k = 0; k < i; k++)
		at += load_u16(e->body + WIRE_HEADER_LEN + 2 * k);
	return (struct ev_value){e->body + at, load_u16(e->body + WIRE_HEADER_LEN + 2 * i)};
}

static bool is_signed(unsigned type)
{
	switch (type) {
	case PT_INT8:
	case PT_INT16:
	case PT_INT32:
	case PT_INT64:
	case PT_ERRNO:
	case PT_FD:
	case PT_PID:
	case PT_FD32:
	case PT_PID32:
		return true;
	default:
		return false;
	}
}

static int64_t integer(unsigned type, struct ev_value v)
{
	uint64_t u = 0;
	unsigned shift = 64 - 8 * v.n;

	if (!v.n || v.n > 8)
		return 0;
	memcpy(&u, v.p, v.n);
	return is_signed(type) ? (int64_t)(u << shift) >> shift : (int64_t)u;
}

static void show_bytes(char *out, size_t room, const uint8_t *p, size_t n)
{
	size_t at = (size_t)snprintf(out, room, "%zu bytes \"", n);

	for (size_t i = 0; i < n && at + 8 < room; i++)
		at += (size_t)snprintf(out + at, room - at,
				       p[i] >= 32 && p[i] < 127 ? "%c" : "\\x%02x", p[i]);
	snprintf(out + at, room - at, "\"");
}

static void show(char *out, size_t room, const struct live_event *e, unsigned i)
{
	unsigned type = ev_table[e->type].params[i].type;
	struct ev_value v = value_at(e, i);

	if (!v.n)
		snprintf(out, room, "(empty)");
	else if (ev_ptype_width(type) == v.n && v.n <= 8)
		snprintf(out, room, "%" PRId64 " (0x%" PRIx64 ")", integer(type, v),
			 (uint64_t)integer(type, v));
	else
		show_bytes(out, room, v.p, v.n);
}

void live_print(const struct live_event *e)
{
	char text[TEXT];

	if (e->type >= EV_TYPE_COUNT) {
		print_error("  type %u\n", e->type);
		return;
	}
	print_error("  %s (%u) of tid %" PRId64 " on CPU %d:", ev_table[e->type].enum_name, e->type,
		    e->tid, e->cpu);
	for (unsigned i = 0; i < e->nparams && i < ev_table[e->type].nparams; i++) {
		show(text, sizeof(text), e, i);
		print_error(" %s=%s", ev_table[e->type].params[i].name, text);
	}
	print_error("\n");
}

void live_fail_(const struct live_event *e, const char *name, const char *file, int line,
		const char *format, ...)
{
	char text[TEXT];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	print_error("%s, %s: %s\n", ev_table[e->type].enum_name, name ? name : "the record", text);
	live_print(e);
	_fail(file, line);
	__builtin_unreachable();
}

/* --- events --- */

static struct live_event *next_of(struct live *l, int64_t tid)
{
	for (unsigned i = 0; i < l->n; i++)
		if (!l->events[i].taken && l->events[i].tid == tid)
			return &l->events[i];
	return NULL;
}

struct live_event *live_expect_(struct live *l, int64_t tid, unsigned type, const char *file,
				int line)
{
	struct live_event *e = next_of(l, tid);

	if (!e) {
		print_error("expected %s of tid %" PRId64
			    ", there is no further event of it (%u events in all)\n",
			    ev_table[type].enum_name, tid, l->n);
		_fail(file, line);
		__builtin_unreachable();
	}
	if (e->type != type) {
		print_error("expected %s of tid %" PRId64 ", found\n", ev_table[type].enum_name,
			    tid);
		live_print(e);
		_fail(file, line);
	}
	e->taken = true;
	if (e->failed)
		l->seen[type].failures++;
	else
		l->seen[type].successes++;
	return e;
}

void live_expect_end_(struct live *l, int64_t tid, const char *file, int line)
{
	struct live_event *e = next_of(l, tid);

	if (!e)
		return;
	print_error("expected no further event of tid %" PRId64 ", found\n", tid);
	live_print(e);
	_fail(file, line);
}

/* --- parameters --- */

static unsigned param(struct live_event *e, const char *name, const char *file, int line)
{
	int i = ev_param_index(e->type, name);

	if (i < 0)
		live_fail_(e, name, file, line, "the event has no such parameter");
	live_note_compared(e, (unsigned)i);
	return (unsigned)i;
}

void live_i64_(struct live_event *e, const char *name, int64_t low, int64_t high, const char *file,
	       int line)
{
	unsigned i = param(e, name, file, line);
	unsigned type = ev_table[e->type].params[i].type, width = ev_ptype_width(type);
	struct ev_value v = value_at(e, i);
	int64_t found = integer(type, v);

	if (v.n != width)
		live_fail_(e, name, file, line, "%u bytes instead of %u", v.n, width);
	if (found >= low && found <= high)
		return;
	if (low == high)
		live_fail_(e, name, file, line,
			   "expected %" PRId64 " (0x%" PRIx64 "), found %" PRId64 " (0x%" PRIx64
			   ")",
			   low, (uint64_t)low, found, (uint64_t)found);
	live_fail_(e, name, file, line, "expected %" PRId64 "..%" PRId64 ", found %" PRId64, low,
		   high, found);
}

static bool flag_value(const struct ev_flag *set, const char *name, size_t n, uint32_t *value)
{
	for (; set && set->name; set++)
		if (strlen(set->name) == n && !memcmp(set->name, name, n)) {
			*value |= set->value;
			return true;
		}
	return false;
}

void live_flags_(struct live_event *e, const char *name, const char *flags, const char *file,
		 int line)
{
	unsigned i = param(e, name, file, line);
	uint32_t want = 0;

	for (const char *at = flags; *at;) {
		size_t n = strcspn(at, "|");

		if (!flag_value(ev_table[e->type].params[i].flags, at, n, &want))
			live_fail_(e, name, file, line, "'%.*s' is not a flag of it", (int)n, at);
		at += n + (at[n] == '|');
	}
	live_i64_(e, name, want, want, file, line);
}

void live_bytes_(struct live_event *e, const char *name, const void *p, size_t n, const char *file,
		 int line)
{
	struct ev_value v = value_at(e, param(e, name, file, line));
	char want[TEXT / 2], found[TEXT / 2];

	if (v.n == n && !memcmp(v.p, p, n))
		return;
	show_bytes(want, sizeof(want), p, n);
	show_bytes(found, sizeof(found), v.p, v.n);
	print_error("expected %s\n   found %s\n", want, found);
	live_fail_(e, name, file, line, "not the bytes expected");
}

void live_str_(struct live_event *e, const char *name, const char *text, const char *file, int line)
{
	live_bytes_(e, name, text, strlen(text) + 1, file, line);
}

void live_dyn_(struct live_event *e, const char *name, unsigned selector, int64_t v, unsigned width,
	       const char *file, int line)
{
	uint8_t want[9] = {(uint8_t)selector};

	memcpy(want + 1, &v, 8);
	live_bytes_(e, name, want, 1 + width, file, line);
}

void live_dyn_str_(struct live_event *e, const char *name, unsigned selector, const char *text,
		   const char *file, int line)
{
	uint8_t want[TEXT] = {(uint8_t)selector};

	snprintf((char *)want + 1, sizeof(want) - 1, "%s", text);
	live_bytes_(e, name, want, 1 + strlen(text) + 1, file, line);
}

struct ev_value live_value(struct live_event *e, const char *name)
{
	return value_at(e, param(e, name, __FILE__, __LINE__));
}

int64_t live_number(struct live_event *e, const char *name)
{
	unsigned i = param(e, name, __FILE__, __LINE__);

	return integer(ev_table[e->type].params[i].type, value_at(e, i));
}
