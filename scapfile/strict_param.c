/* SPDX-License-Identifier: Apache-2.0 */
/* The strict check of parameters: as long as their types, and values that can occur. */
#include "scapfile/strict_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "scapfile/internal.h" /* the table of conversions */

#define ERRNO_MAX    4095 /* results below -ERRNO_MAX are none */
#define SIGNAL_MAX   64
#define FAMILY_UNIX  1
#define FAMILY_INET  2
#define FAMILY_INET6 10

struct param { /* under judgement */
	struct strict *s;
	const struct ev_param_info *info;
	unsigned type, index; /* event, parameter */
	const uint8_t *p;
	uint32_t n;
	uint64_t at;
};

static unsigned width_of(unsigned ptype)
{
	static const uint8_t widths[PT_COUNT] = {
	    /* clang-format off */
		[PT_INT8] = 1, [PT_UINT8] = 1, [PT_FLAGS8] = 1, [PT_ENUMFLAGS8] = 1, [PT_SIGTYPE] = 1,
		[PT_L4PROTO] = 1, [PT_SOCKFAMILY] = 1,
		[PT_INT16] = 2, [PT_UINT16] = 2, [PT_FLAGS16] = 2, [PT_ENUMFLAGS16] = 2,
		[PT_SYSCALLID] = 2, [PT_PORT] = 2,
		[PT_INT32] = 4, [PT_UINT32] = 4, [PT_FLAGS32] = 4, [PT_ENUMFLAGS32] = 4, [PT_BOOL] = 4,
		[PT_IPV4ADDR] = 4, [PT_UID] = 4, [PT_GID] = 4, [PT_SIGSET] = 4, [PT_MODE] = 4,
		[PT_FD32] = 4, [PT_PID32] = 4,
		[PT_INT64] = 8, [PT_UINT64] = 8, [PT_ERRNO] = 8, [PT_FD] = 8, [PT_PID] = 8,
		[PT_RELTIME] = 8, [PT_ABSTIME] = 8, [PT_DOUBLE] = 8, [PT_CHARBUF_PAIR_ARRAY] = 8,
		[PT_IPV6ADDR] = 16,
	    /* clang-format on */
	};

	return ptype < PT_COUNT ? widths[ptype] : 0;
}

static PRINTF_LIKE(3, 4) void find(struct param *v, enum sf_strict_rule rule, const char *fmt, ...)
{
	char what[120];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	strict_find(v->s, rule, v->at, "%s of event type %u (%s): %s", v->info->name, v->type,
		    strict_info(v->type)->name, what);
}

static void check_length(struct param *v, uint32_t expected)
{
	if (v->n != expected)
		find(v, SF_STRICT_PARAM_LENGTH, "expected %u bytes, found %u", expected, v->n);
}

static int64_t signed_value(const uint8_t *p, unsigned width)
{
	switch (width) {
	case 1:
		return (int8_t)p[0];
	case 2:
		return (int16_t)load_u16(p);
	case 4:
		return (int32_t)load_u32(p);
	default:
		return (int64_t)load_u64(p);
	}
}

static uint32_t unsigned_value(const uint8_t *p, unsigned width)
{
	return width == 1 ? p[0] : width == 2 ? load_u16(p) : load_u32(p);
}

/* ---- sets ---- */

/* Values that are stored as the system call got them: anything can occur. */
static bool is_raw(const struct param *v, const struct ev_flag *set)
{
	static const char *const raw[] = {
	    "bpf_commands", "fsconfig_cmds", "keyctl_operations", "io_uring_register_opcodes",
	    "mount_flags",  "prctl_options", "renameat2_flags"};

	for (size_t i = 0; i < COUNT_OF(raw); i++)
		if (ev_flag_set(raw[i]) == set)
			return true;
	return v->type == EV_USERFAULTFD_X; /* its set is one of mapped values elsewhere */
}

static void check_bits(struct param *v, uint32_t value)
{
	uint32_t known = 0;

	for (const struct ev_flag *f = v->info->flags; f && f->name; f++)
		known |= f->value;
	if (v->info->flags && value & ~known && !is_raw(v, v->info->flags))
		find(v, SF_STRICT_PARAM_VALUE, "expected bits out of 0x%x, found 0x%x", known,
		     value);
}

/* The set may hold more bits than a value has: all ones stand for a value that is not known. */
static void check_one_of(struct param *v, const struct ev_flag *set, uint32_t value, unsigned width)
{
	uint32_t mask = UINT32_MAX >> (32 - 8 * width);

	for (const struct ev_flag *f = set; f && f->name; f++)
		if ((f->value & mask) == value)
			return;
	if (set && !is_raw(v, set))
		find(v, SF_STRICT_PARAM_VALUE, "expected a value of its set, found %u (0x%x)",
		     value, value);
}

/* ---- texts ---- */

static void check_string(struct param *v, const uint8_t *p, uint32_t n)
{
	const uint8_t *nul = n ? memchr(p, '\0', n) : NULL;

	if (!nul || nul != p + n - 1)
		find(v, SF_STRICT_PARAM_TEXT, "expected %u bytes with one NUL at the end, found %s",
		     n, nul ? "one inside" : "none");
}

static void check_strings(struct param *v)
{
	if (v->p[v->n - 1] != '\0')
		find(v, SF_STRICT_PARAM_TEXT, "expected strings that end in NUL, found 0x%02x last",
		     v->p[v->n - 1]);
}

/* Lists of strings have no type of their own. */
static void check_bytes(struct param *v)
{
	static const char *const lists[] = {"args", "env", "cgroups"};

	for (size_t i = 0; i < COUNT_OF(lists); i++)
		if (strcmp(v->info->name, lists[i]) == 0)
			check_strings(v);
}

/* ---- addresses ---- */

static void check_family(struct param *v)
{
	check_one_of(v, ev_flag_set("socket_families"), v->p[0], 1);
}

/* @fixed: bytes in front of the path of a unix address; @v4, @v6: all bytes of the others. */
static void check_address(struct param *v, uint32_t fixed, uint32_t v4, uint32_t v6)
{
	check_family(v);
	switch (v->p[0]) {
	case FAMILY_UNIX:
		if (v->n <= fixed)
			find(v, SF_STRICT_PARAM_LENGTH, "expected more than %u bytes, found %u",
			     fixed, v->n);
		else
			check_string(v, v->p + fixed, v->n - fixed);
		break;
	case FAMILY_INET:
		check_length(v, v4);
		break;
	case FAMILY_INET6:
		check_length(v, v6);
		break;
	default:
		break;
	}
}

/* ---- compound types ---- */

/* Is the parameter copied from the enter event when an older event becomes one of this type? */
static bool is_from_enter(const struct param *v)
{
	for (unsigned i = 0; i < conv_first_row[EV_TYPE_COUNT]; i++) {
		const struct conv_row *row = &conv_rows[i];
		unsigned from;

		if ((row->action != CONV_ADD_PARAMS && row->action != CONV_CHANGE_TYPE) ||
		    row->result != v->type || v->index >= row->nparams_out)
			continue;
		from = conv_sources[row->first_source + v->index].from;
		if (from == CONV_ENTER_OR_DEFAULT || from == CONV_ENTER_OR_EMPTY)
			return true;
	}
	return false;
}

/*
 * Old enter events hold the argument without its sign (mmap's -1 is 4294967295 there), and so do
 * exit events made of them, whose bytes are those of the enter event ("Rules for the sources").
 */
static bool may_lack_sign(const struct param *v)
{
	return v->type < EV_TYPE_COUNT && (!ev_type_is_exit(v->type) || is_from_enter(v));
}

static void check_fd_number(struct param *v, int64_t fd)
{
	int64_t most = fd > INT32_MAX && may_lack_sign(v) ? UINT32_MAX : INT32_MAX;

	if (fd < INT32_MIN || fd > most)
		find(v, SF_STRICT_PARAM_VALUE, "expected a number of 32 bits, found %" PRId64, fd);
}

static void check_fdlist(struct param *v)
{
	const struct ev_flag *poll = ev_flag_set("poll_flags");
	uint32_t count, known = 0;

	if (v->n < 2 || v->n != 2 + 10u * load_u16(v->p)) {
		find(v, SF_STRICT_PARAM_LENGTH, "expected a count and 10 bytes for each, found %u",
		     v->n);
		return;
	}
	for (; poll && poll->name; poll++)
		known |= poll->value;
	count = load_u16(v->p);
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *one = v->p + 2 + 10 * (size_t)i;

		check_fd_number(v, (int64_t)load_u64(one));
		if (load_u16(one + 8) & ~known)
			find(v, SF_STRICT_PARAM_VALUE, "expected bits out of 0x%x, found 0x%x",
			     known, load_u16(one + 8));
	}
}

static void check_dynamic(struct param *v)
{
	const struct ev_dyn *d;
	unsigned width;

	if (v->p[0] >= v->info->dyn_count) {
		find(v, SF_STRICT_PARAM_VALUE, "expected a kind below %u, found %u",
		     v->info->dyn_count, v->p[0]);
		return;
	}
	d = &v->info->dyn[v->p[0]];
	width = width_of(d->type);
	if (width)
		check_length(v, 1 + width);
	else if (d->type == PT_CHARBUF && v->n > 1)
		check_string(v, v->p + 1, v->n - 1);
}

/* ---- numbers ---- */

/* An argument that is stored as the caller chose it, although its type is that of a result or an
 * id. */
static bool is_chosen(const struct param *v)
{
	switch (v->type) {
	case EV_EPOLLWAIT_X:	    /* maxevents */
	case EV_PROCESS_VM_READV_X: /* pid */
	case EV_PROCESS_VM_WRITEV_X:
		return v->index == 1;
	default:
		return false;
	}
}

static void check_number(struct param *v, unsigned width)
{
	int64_t i = signed_value(v->p, width);

	switch (v->info->type) {
	case PT_ERRNO:
		if (i < -ERRNO_MAX && !is_chosen(v))
			find(v, SF_STRICT_PARAM_VALUE,
			     "expected a result, or an error down to %d; found %" PRId64,
			     -ERRNO_MAX, i);
		break;
	case PT_FD:
		check_fd_number(v, i);
		break;
	case PT_PID:
		if ((i < INT32_MIN || i > INT32_MAX) && !is_chosen(v))
			find(v, SF_STRICT_PARAM_VALUE,
			     "expected a number of 32 bits, found %" PRId64, i);
		break;
	case PT_SYSCALLID:
		if (load_u16(v->p) >= EV_SYSCALL_COUNT)
			find(v, SF_STRICT_PARAM_VALUE, "expected a system call below %u, found %u",
			     EV_SYSCALL_COUNT, load_u16(v->p));
		break;
	case PT_SIGTYPE:
		if (v->p[0] > SIGNAL_MAX)
			find(v, SF_STRICT_PARAM_VALUE, "expected a signal up to %u, found %u",
			     SIGNAL_MAX, v->p[0]);
		break;
	case PT_FLAGS8:
	case PT_FLAGS16:
	case PT_FLAGS32:
	case PT_MODE:
		check_bits(v, unsigned_value(v->p, width));
		break;
	case PT_ENUMFLAGS8:
	case PT_ENUMFLAGS16:
	case PT_ENUMFLAGS32:
		check_one_of(v, v->info->flags, unsigned_value(v->p, width), width);
		break;
	default:
		break;
	}
}

void strict_param(struct strict *s, unsigned type, unsigned i, const uint8_t *p, uint32_t n,
		  uint64_t offset)
{
	struct param v = {s, &strict_info(type)->params[i], type, i, p, n, offset};
	unsigned width = width_of(v.info->type);

	if (width && n != width) {
		check_length(&v, width);
		return;
	}
	switch (v.info->type) {
	case PT_CHARBUF:
	case PT_FSPATH:
	case PT_FSRELPATH:
		check_string(&v, p, n);
		break;
	case PT_BYTEBUF:
		check_bytes(&v);
		break;
	case PT_CHARBUFARRAY:
		if (!(strict_info(type)->flags & EF_OLD_VERSION))
			check_strings(&v);
		break;
	case PT_SOCKADDR:
		check_address(&v, 1, 7, 19);
		break;
	case PT_SOCKTUPLE:
		check_address(&v, 17, 13, 37);
		break;
	case PT_FDLIST:
		check_fdlist(&v);
		break;
	case PT_DYN:
		check_dynamic(&v);
		break;
	default:
		if (width)
			check_number(&v, width);
		break;
	}
}
