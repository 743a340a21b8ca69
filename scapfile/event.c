/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/event.h"

#include <string.h>

const struct ev_flag *ev_flag_set(const char *name)
{
	for (const struct ev_flag_set *s = ev_flag_sets; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s->flags;
	return NULL;
}

int ev_param_index(unsigned type, const char *name)
{
	const struct ev_info *info = &ev_table[type];

	for (unsigned i = 0; i < info->nparams; i++)
		if (strcmp(info->params[i].name, name) == 0)
			return (int)i;
	return -1;
}

unsigned ev_ptype_width(enum ev_ptype type)
{
	switch (type) {
	case PT_INT8:
	case PT_UINT8:
	case PT_FLAGS8:
	case PT_ENUMFLAGS8:
	case PT_SIGTYPE:
	case PT_L4PROTO:
	case PT_SOCKFAMILY:
		return 1;
	case PT_INT16:
	case PT_UINT16:
	case PT_FLAGS16:
	case PT_ENUMFLAGS16:
	case PT_SYSCALLID:
	case PT_PORT:
		return 2;
	case PT_INT32:
	case PT_UINT32:
	case PT_FLAGS32:
	case PT_ENUMFLAGS32:
	case PT_UID:
	case PT_GID:
	case PT_MODE:
	case PT_BOOL:
	case PT_IPV4ADDR:
	case PT_SIGSET:
	case PT_FD32:
	case PT_PID32:
		return 4;
	case PT_INT64:
	case PT_UINT64:
	case PT_ERRNO:
	case PT_FD:
	case PT_PID:
	case PT_RELTIME:
	case PT_ABSTIME:
	case PT_DOUBLE:
	case PT_CHARBUF_PAIR_ARRAY:
		return 8;
	case PT_IPV6ADDR:
		return 16;
	default:
		return 0;
	}
}

void ev_locate(struct ev *ev, unsigned i)
{
	unsigned k = ev->located;
	uint32_t at = k ? ev->at[k] : 0;

	if (!k)
		ev->at[0] = 0;
	for (; k <= i; k++) {
		at += ev->wide ? load_u32(ev->lens + 4 * k) : load_u16(ev->lens + 2 * k);
		ev->at[k + 1] = at;
	}
	ev->located = (uint8_t)k;
}

struct sv ev_str(struct ev *ev, unsigned i)
{
	struct ev_value v = ev_param(ev, i);

	if (v.n == 0 || (v.n == 7 && memcmp(v.p, "(NULL)", 7) == 0))
		return SV_LIT("<NA>");
	return sv_make(v.p, strnlen((const char *)v.p, v.n));
}

bool ev_return_value(struct ev *ev, int64_t *ret)
{
	const struct ev_info *info = ev_info(ev);
	struct ev_value v;

	if (!ev_type_is_exit(ev->type) || !(info->category & EC_SYSCALL) ||
	    ev->type == EV_GENERIC_X || ev->nparams == 0)
		return false;
	v = ev_param(ev, 0);
	if (v.n == 8)
		*ret = (int64_t)load_u64(v.p);
	else if (v.n == 4)
		*ret = (int32_t)load_u32(v.p);
	else
		*ret = 0;
	return true;
}
