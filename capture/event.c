/* SPDX-License-Identifier: Apache-2.0 */
/* Is a record of the rings an event? The programs are ours, but a record may still be torn. */
#include "capture/internal.h"

/* How many parameters events of @type have; -1: there is no such type, or not in recordings. */
static int params_of(unsigned type)
{
	if (type == EV_TYPE_URING)
		return EV_URING_PARAMS;
	if (type >= EV_TYPE_COUNT || ev_table[type].flags & EF_LARGE_PAYLOAD)
		return -1;
	return ev_table[type].nparams;
}

const char *record_check(const uint8_t *p, uint32_t room, unsigned *type, uint32_t *len)
{
	uint32_t nparams, sum = 0;

	*type = 0;
	if (room < WIRE_HEADER_LEN)
		return "shorter than a header";
	*len = load_u32(p + 16);
	if (*len < WIRE_HEADER_LEN || *len > room ||
	    room - *len > WIRE_SHORT_MAX + sizeof(uint16_t))
		return "with an event that does not fit";
	if (params_of(load_u16(p + 20)) < 0)
		return "of an unknown type";
	*type = load_u16(p + 20);
	nparams = load_u32(p + 22);
	if (nparams != (uint32_t)params_of(*type))
		return "with another number of parameters than its type";
	room = *len - WIRE_HEADER_LEN;
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
#define LIFECYCLE(type) case type:
#include "capture/lifecycle.def"
#undef LIFECYCLE
		return true;
	default:
		return false;
	}
}
