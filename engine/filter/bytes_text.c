/* SPDX-License-Identifier: Apache-2.0 */
/* Byte buffers as text. */
#include "base/escape.h"
#include "engine/filter/fields.h"

#define HEX_ROW	   16 /* bytes */
#define HEX_GROUPS (HEX_ROW / 2)

static bool is_printable(char c)
{
	return c >= 0x20 && c < 0x7f;
}

static void hex_row(struct sv row, size_t offset, bool with_text, struct buf *out)
{
	buf_addf(out, "\n\t0x%04zx:", offset);
	for (size_t i = 0; i < row.n; i += 2) {
		buf_addf(out, " %02x", (unsigned char)row.p[i]);
		if (i + 1 < row.n)
			buf_addf(out, "%02x", (unsigned char)row.p[i + 1]);
	}
	if (!with_text)
		return;
	for (size_t group = (row.n + 1) / 2; group < HEX_GROUPS; group++)
		buf_lit(out, "     ");
	buf_lit(out, "  ");
	for (size_t i = 0; i < row.n; i++)
		buf_char(out, is_printable(row.p[i]) ? row.p[i] : '.');
}

static void hex(struct sv bytes, bool with_text, struct buf *out)
{
	for (size_t at = 0; at < bytes.n; at += HEX_ROW) {
		struct sv row = sv_drop(bytes, at);

		row.n = row.n < HEX_ROW ? row.n : HEX_ROW;
		hex_row(row, at, with_text, out);
	}
	buf_char(out, '\n');
}

/* CR LF is one line end, and so is either alone; a line end before everything else is our own. */
static void lines(struct sv bytes, struct buf *out)
{
	buf_char(out, '\n');
	for (size_t i = 0; i < bytes.n; i++) {
		char c = bytes.p[i];

		if (is_printable(c))
			buf_char(out, c);
		else if (c == '\r' || (c == '\n' && i > 0 && bytes.p[i - 1] != '\r'))
			buf_char(out, '\n');
	}
}

static void dots(struct sv bytes, struct buf *out)
{
	char *p = buf_room(out, bytes.n);

	if (!p)
		return;
	for (size_t i = 0; i < bytes.n; i++) {
		char c = bytes.p[i];

		p[i] = is_printable(c) ? c : '.';
	}
	out->len += bytes.n;
}

void flt_bytes_text(const struct flt_options *opt, struct sv bytes, struct buf *out)
{
	switch (opt ? opt->bytes : FLT_BYTES_DOTS) {
	case FLT_BYTES_BASE64:
		escape_base64(out, bytes);
		return;
	case FLT_BYTES_HEX:
	case FLT_BYTES_HEX_ASCII:
		hex(bytes, opt->bytes == FLT_BYTES_HEX_ASCII, out);
		return;
	case FLT_BYTES_LINES:
		lines(bytes, out);
		return;
	case FLT_BYTES_DOTS:
		break;
	}
	if (opt && opt->bytes_max && bytes.n > opt->bytes_max) {
		dots(sv_make(bytes.p, opt->bytes_max > 3 ? opt->bytes_max - 3 : 0), out);
		buf_lit(out, "...");
		return;
	}
	dots(bytes, out);
}
