/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/comments.h"

#include <string.h>

#include "base/cursor.h"
#include "scapfile/internal.h"
#include "scapfile/output.h"

#define OPTION_END     0 /* pcapng option codes */
#define OPTION_COMMENT 1
#define OPTION_HEAD    4u /* code and length */

static size_t total_bytes(const struct sf_comments *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += strlen(c->texts[i]);
	return n;
}

int sf_comments_add(struct sf_comments *c, const char *text, struct error *err)
{
	size_t n = strlen(text);

	if (c->count == SF_COMMENTS_MAX || n > SF_COMMENT_BYTES_MAX ||
	    total_bytes(c) > SF_COMMENT_BYTES_MAX - n)
		return error_set(err, ERR_LIMIT, "over %d comments or %d bytes of them",
				 SF_COMMENTS_MAX, SF_COMMENT_BYTES_MAX);
	c->texts[c->count++] = text;
	return 0;
}

/* Bytes of the options at @p that are whole, without the one that ends them. */
static size_t options_length(const uint8_t *p, size_t n)
{
	size_t at = 0;

	while (n - at >= OPTION_HEAD && load_u16(p + at) != OPTION_END) {
		size_t len = OPTION_HEAD + ((load_u16(p + at + 2) + 3u) & ~3u);

		if (len > n - at)
			break;
		at += len;
	}
	return at;
}

static void put_option(struct buf *out, unsigned code, const char *text, size_t n)
{
	static const uint8_t zeros[3];
	uint8_t head[OPTION_HEAD];

	put_u16(put_u16(head, code), (unsigned)n);
	buf_add(out, head, sizeof(head));
	buf_add(out, text, n);
	buf_add(out, zeros, -n & 3);
}

int sf_comments_put(struct buf *out, const uint8_t *shb, size_t n, const struct sf_comments *c,
		    struct error *err)
{
	size_t start = out->len, kept;
	uint8_t length[4];

	if (n < SF_SHB_MIN || load_u32(shb) != SF_SHB)
		return error_set(err, ERR_FORMAT, "expected a section header, found %zu bytes", n);
	kept = options_length(shb + SF_SHB_MIN - 4, n - SF_SHB_MIN);
	buf_add(out, shb, SF_SHB_MIN - 4 + kept);
	for (size_t i = 0; i < c->count; i++)
		put_option(out, OPTION_COMMENT, c->texts[i], strlen(c->texts[i]));
	put_option(out, OPTION_END, "", 0);
	if (out->len - start + 4 > SF_SMALL_EVENT_MAX + 2 * SF_COMMENT_BYTES_MAX)
		return error_set(err, ERR_LIMIT, "the section header has over %u bytes of options",
				 SF_SMALL_EVENT_MAX + 2 * SF_COMMENT_BYTES_MAX);
	put_u32(length, (uint32_t)(out->len - start + 4));
	buf_add(out, length, 4);
	if (out->failed)
		return error_nomem(err);
	memcpy(out->p + start + 4, length, 4);
	return 0;
}
