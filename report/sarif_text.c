/* SPDX-License-Identifier: Apache-2.0 */
#include "report/sarif_text.h"

#include <ctype.h>

void rep_sarif_message(struct rep_js *j, struct buf *b, const char *key, struct sv text)
{
	buf_reset(b);
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '{' || c == '}')
			buf_char(b, c);
		if (c == '[' && sv_contains(sv_drop(text, i), SV_LIT("](")))
			buf_char(b, '\\');
		buf_char(b, c);
	}
	rep_js_object(j, key);
	rep_js_text(j, "text", b->len ? buf_view(b) : SV_LIT("-"));
	rep_js_end(j);
}

void rep_sarif_uri(struct rep_js *j, struct buf *b, const char *key, struct sv path)
{
	static const char hex[] = "0123456789ABCDEF";

	buf_reset(b);
	if (path.n && path.p[0] == '/')
		buf_lit(b, "file://");
	for (size_t i = 0; i < path.n; i++) {
		unsigned char c = (unsigned char)path.p[i];

		if (isalnum(c) || (c && strchr("/-._~", c))) {
			buf_char(b, (char)c);
		} else {
			buf_char(b, '%');
			buf_char(b, hex[c >> 4]);
			buf_char(b, hex[c & 15]);
		}
	}
	rep_js_text(j, key, b->len ? buf_view(b) : SV_LIT("unknown"));
}
