/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "bundle/internal.h"

void bag_hex(struct buf *b, const uint8_t digest[BAG_DIGEST])
{
	for (int i = 0; i < BAG_DIGEST; i++)
		buf_addf(b, "%02x", digest[i]);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool bag_parse_hex(struct sv text, uint8_t digest[BAG_DIGEST])
{
	if (text.n != 2 * BAG_DIGEST)
		return false;
	for (int i = 0; i < BAG_DIGEST; i++) {
		int high = digit(text.p[2 * i]), low = digit(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* ---- manifests: lines "HEX  NAME", as sha256sum writes and checks them ---- */

void bag_manifest_line(struct buf *b, const uint8_t digest[BAG_DIGEST], const char *name)
{
	bag_hex(b, digest);
	buf_addf(b, "  %s\n", name);
}

int bag_manifest_next(struct sv *text, uint8_t digest[BAG_DIGEST], struct sv *name)
{
	const char *end = text->n ? memchr(text->p, '\n', text->n) : NULL;
	size_t head = 2 * BAG_DIGEST;

	if (!text->n)
		return 0;
	if (!end || (size_t)(end - text->p) <= head + 2 ||
	    !bag_parse_hex(sv_make(text->p, head), digest) || text->p[head] != ' ' ||
	    text->p[head + 1] != ' ')
		return -1;
	*name = sv_make(text->p + head + 2, (size_t)(end - text->p) - head - 2);
	*text = sv_drop(*text, (size_t)(end - text->p) + 1);
	return 1;
}
