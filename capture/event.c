/* SPDX-License-Identifier: Apache-2.0 */
/* Is a record of the rings an event? The programs are ours, but a record may still be torn. */
#include "capture/internal.h"

const char *record_check(const uint8_t *p, uint32_t len, unsigned *type)
{
	const struct ev_info *info;
	uint32_t nparams, room, sum = 0;

	*type = 0;
	if (len < WIRE_HEADER_LEN)
		return "shorter than a header";
	if (load_u32(p + 16) != len)
		return "its length is not the record's";
	if (load_u16(p + 20) >= EV_TYPE_COUNT)
		return "of an unknown type";
	*type = load_u16(p + 20);
	info = &ev_table[*type];
	nparams = load_u32(p + 22);
	if (nparams != info->nparams || (info->flags & EF_LARGE_PAYLOAD))
		return "with another number of parameters than its type";
	room = len - WIRE_HEADER_LEN;
	if (room < 2 * nparams)
		return "without room for the lengths of its parameters";
	room -= 2 * nparams;
	p += WIRE_HEADER_LEN;
	for (uint32_t i = 0; i < nparams; i++)
		sum += load_u16(p + 2 * (size_t)i);
	return sum == room ? NULL : "whose parameters do not fill it";
}

bool event_is_lifecycle(unsigned type)
{
	switch (type) {
	case EV_CLONE_20_X:
	case EV_CLONE3_X:
	case EV_FORK_20_X:
	case EV_VFORK_20_X:
	case EV_EXECVE_19_X:
	case EV_EXECVEAT_X:
	case EV_PROCEXIT_1_E:
		return true;
	default:
		return false;
	}
}
