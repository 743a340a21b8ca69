/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restoring a checkpoint from bytes that anybody may have written: refused, or a state that takes
 * events, can be saved and goes away without trouble.
 */
#include "engine/state/state.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = {0};
	struct buf again = {0};
	struct state *st;

	if (state_restore(NULL, data, size, &st, &err) < 0)
		return 0;
	state_settle(st, UINT64_MAX);
	if (state_save(st, &again, &err) < 0)
		abort();
	state_free(st);
	buf_done(&again);
	return 0;
}
