/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/decode.h"

#include "base/json.h"

#define ASCII_DEL 127
#define ASCII_BS  8

void tui_decode_time(struct tui_decode *d, uint64_t now_ns)
{
	if (d->pasting && now_ns - d->last_ns > TUI_PASTE_NS)
		d->pasting = false;
	d->last_ns = now_ns;
}

static bool is_control(uint32_t ch)
{
	return ch < ' ' || ch == ASCII_DEL;
}

static bool give(const struct tui_decode *d, uint32_t ch, struct tui_input *out)
{
	*out = (struct tui_input){.kind = TUI_INPUT_KEY, .key = ch, .pasted = d->pasting};
	if (d->pasting && is_control(ch)) {
		out->key = ' ';
		return ch == '\n' || ch == '\r' || ch == '\t';
	}
	if (ch == ASCII_DEL || ch == ASCII_BS)
		out->key = TUI_KEY_BACKSPACE;
	return ch != 0 && (ch < 0x80 || !utf8_is_harmful(ch));
}

/* Bytes of the character that @lead begins; 0: it begins none. */
static unsigned length_of(unsigned char lead)
{
	return lead < 0x80   ? 1
	       : lead < 0xc2 ? 0
	       : lead < 0xe0 ? 2
	       : lead < 0xf0 ? 3
	       : lead < 0xf5 ? 4
			     : 0;
}

bool tui_decode_byte(struct tui_decode *d, unsigned char byte, struct tui_input *out)
{
	uint32_t ch;
	unsigned bad;

	if (d->have && (byte & 0xc0) != 0x80)
		d->have = 0; /* it was cut: nothing of it can be meant */
	if (!d->have && byte < 0x80)
		return give(d, byte, out);
	if (!d->have && !length_of(byte))
		return false;
	d->bytes[d->have++] = (char)byte;
	if (d->have < length_of((unsigned char)d->bytes[0]))
		return false;
	bad = utf8_decode(sv_make(d->bytes, d->have), &ch, &bad) == 0;
	d->have = 0;
	return !bad && give(d, ch, out);
}
