/* SPDX-License-Identifier: Apache-2.0 */
#include "report/html_policy.h"

#include <stddef.h>
#include <stdint.h>

#include "report/assets.h"
#include "scapfile/stream.h"

static void base64(struct buf *b, const uint8_t *p, size_t n)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t bits = (uint32_t)p[i] << 16;

		if (i + 1 < n)
			bits |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < n)
			bits |= p[i + 2];
		buf_char(b, digits[bits >> 18]);
		buf_char(b, digits[bits >> 12 & 63]);
		buf_char(b, i + 1 < n ? digits[bits >> 6 & 63] : '=');
		buf_char(b, i + 2 < n ? digits[bits & 63] : '=');
	}
}

/* "'sha256-...'" of what stands between the tags. */
static bool hash_source(struct buf *b, const char *p, size_t n)
{
	uint8_t digest[32];

	if (!sf_hash_once(p, n, digest))
		return false;
	buf_lit(b, "'sha256-");
	base64(b, digest, sizeof(digest));
	buf_char(b, '\'');
	return true;
}

bool rep_html_policy(struct buf *b, bool script)
{
	bool ok;

	buf_lit(b, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		   "style-src ");
	ok = hash_source(b, embedded_style_css, embedded_style_css_length);
	if (script) {
		buf_lit(b, "; script-src ");
		ok = ok && hash_source(b, embedded_script_js, embedded_script_js_length);
	}
	buf_lit(b, "; base-uri 'none'; form-action 'none'\">\n");
	return ok;
}
