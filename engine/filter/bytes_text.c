/* SPDX-License-Identifier: Apache-2.0 */
/* Byte buffers as text. */
#include "engine/filter/fields.h"

static void base64(struct sv bytes, struct buf *out)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = (const uint8_t *)bytes.p;

	for (size_t left = bytes.n; left; p += left < 3 ? left : 3, left -= left < 3 ? left : 3) {
		uint32_t v = (uint32_t)p[0] << 16;
		char text[4];

		if (left > 1)
			v |= (uint32_t)p[1] << 8;
		if (left > 2)
			v |= p[2];
		text[0] = digits[v >> 18];
		text[1] = digits[v >> 12 & 63];
		text[2] = left > 1 ? digits[v >> 6 & 63] : '=';
		text[3] = left > 2 ? digits[v & 63] : '=';
		buf_add(out, text, sizeof(text));
	}
}

void flt_bytes_text(const struct flt_options *opt, struct sv bytes, struct buf *out)
{
	char *p;

	if (opt && opt->base64_buffers) {
		base64(bytes, out);
		return;
	}
	p = buf_room(out, bytes.n);
	if (!p)
		return;
	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];

		p[i] = c >= 0x20 && c < 0x7f ? (char)c : '.';
	}
	out->len += bytes.n;
}
