/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the bytes that a terminal sends to characters, and what of them was pasted (between the
 * marks of bracketed paste). Internal to tui/.
 */
#ifndef TUI_DECODE_H
#define TUI_DECODE_H

#include "tui/keys.h"

/* A paste whose end was lost is over when nothing has come for so long. */
#define TUI_PASTE_NS UINT64_C(2000000000)

struct tui_decode {    /* zeroed: nothing yet */
	char bytes[4]; /* of a character that is not complete */
	unsigned have;
	bool pasting;
	uint64_t last_ns;
};

/* Time passes; CLOCK_MONOTONIC. To be told before what came then. */
void tui_decode_time(struct tui_decode *d, uint64_t now_ns);
/* True: @out is a key. What is pasted are characters only: line ends and tabs are blanks, other
 * controls nothing. */
bool tui_decode_byte(struct tui_decode *d, unsigned char byte, struct tui_input *out);

#endif
