/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip: members back to back are one stream; what follows the last member and is no member is
 * ignored, as zlib's own file functions do.
 */
#define ZLIB_CONST /* zlib's input pointer is one to const */
#include "scapfile/stream.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define GZIP_WINDOW_BITS (15 + 16) /* the largest window, gzip framing */
#define RAW_WINDOW_BITS	 (-15)	   /* the same without framing */
#define GZIP_TRAILER	 8	   /* checksum and length at a member's end */
#define WINDOW_BYTES	 32768

struct gzip_codec {
	struct sf_codec codec;
	z_stream z;
	bool between;	  /* a member has ended; the next one has not been seen */
	bool headless;	  /* entered in the middle of a member: no header, no checksum */
	unsigned trailer; /* bytes of the end of such a member that are to be skipped */
	size_t room;	  /* of the call in progress */
};

bool sf_is_gzip(const uint8_t *p, size_t n)
{
	return n >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

/* Remember where @in is, if it is time: a member begins, or a block within one. */
static void note_place(struct gzip_codec *g, const struct sf_input *in, bool member)
{
	struct sf_access here = {.stored = in->size - (uint64_t)(in->end - in->at)};
	uint8_t window[WINDOW_BYTES];
	uInt n = 0;

	here.raw = g->codec.made + g->room - g->z.avail_out;
	if (!sf_access_due(g->codec.log, here.raw))
		return;
	if (!member) {
		here.bits = g->z.data_type & 7;
		here.stored -= here.bits != 0;
		if (inflateGetDictionary(&g->z, window, &n) != Z_OK || !n)
			return;
		here.window = sv_make(window, n);
	}
	sf_access_add(g->codec.log, &here);
}

/* Behind the last block of a member that was entered in its middle. Return: as sf_input_fill(). */
static int skip_trailer(struct gzip_codec *g, struct sf_input *in, struct error *err)
{
	int rc = 1;

	while (g->trailer && (rc = sf_input_fill(in, err)) > 0) {
		in->at++;
		g->trailer--;
	}
	return rc;
}

/* Is there another member? Its two magic bytes may be split between two reads of the input. */
static int next_member(struct gzip_codec *g, struct sf_input *in, struct error *err)
{
	static const uint8_t magic[2] = {0x1f, 0x8b};
	int rc = skip_trailer(g, in, err);

	if (rc > 0)
		rc = sf_input_fill(in, err);
	if (rc <= 0)
		return rc;
	if (in->at[0] != magic[0])
		return 0;
	if (in->end - in->at >= 2 && in->at[1] != magic[1])
		return 0;
	g->between = false;
	note_place(g, in, true);
	inflateReset2(&g->z, GZIP_WINDOW_BITS);
	return 1;
}

static int gzip_flow(struct gzip_codec *g, int status)
{
	switch (status) {
	case Z_OK:
	case Z_BUF_ERROR: /* wants more input or more room: both are the caller's next turn */
		return SF_FLOW_MORE;
	case Z_STREAM_END:
		g->between = true;
		g->trailer = g->headless ? GZIP_TRAILER : 0;
		g->headless = false;
		return SF_FLOW_MORE;
	case Z_MEM_ERROR:
		return ERR_NOMEM;
	default:
		g->codec.trouble = g->z.msg ? g->z.msg : "corrupt gzip data";
		return SF_FLOW_CORRUPT;
	}
}

static int inflate_some(struct gzip_codec *g, struct sf_input *in)
{
	size_t n = (size_t)(in->end - in->at);
	int status;

	g->z.next_in = in->at;
	g->z.avail_in = n > UINT32_MAX ? UINT32_MAX : (uInt)n;
	status = inflate(&g->z, g->codec.log->span ? Z_BLOCK : Z_NO_FLUSH);
	in->at = g->z.next_in;
	/* Behind a block that is not the member's last. */
	if (status == Z_OK && (g->z.data_type & 0xc0) == 0x80)
		note_place(g, in, false);
	return gzip_flow(g, status);
}

static int gzip_decode(struct sf_codec *c, struct sf_input *in, uint8_t *to, size_t room,
		       size_t *made, struct error *err)
{
	struct gzip_codec *g = CONTAINER_OF(c, struct gzip_codec, codec);
	int flow = SF_FLOW_MORE;

	if (room > UINT32_MAX)
		room = UINT32_MAX;
	g->z.next_out = to;
	g->z.avail_out = (uInt)room;
	g->room = room;
	while (flow == SF_FLOW_MORE && g->z.avail_out) {
		int rc = g->between ? next_member(g, in, err) : sf_input_fill(in, err);

		if (rc < 0)
			return rc;
		if (rc > 0)
			flow = inflate_some(g, in);
		else
			flow = g->between ? SF_FLOW_END : SF_FLOW_CUT;
	}
	*made = room - g->z.avail_out;
	return flow < 0 ? error_nomem(err) : flow;
}

/* Does a member with a sane header start here? Method 8 (deflate) and no reserved flag. */
static bool plausible_member(const uint8_t *p, size_t n)
{
	return sf_is_gzip(p, n) && (n < 3 || p[2] == 8) && (n < 4 || p[3] < 32);
}

static int gzip_resume(struct sf_codec *c, struct sf_input *in, struct error *err)
{
	struct gzip_codec *g = CONTAINER_OF(c, struct gzip_codec, codec);
	int rc;

	while ((rc = sf_input_fill(in, err)) > 0) {
		const uint8_t *p = memchr(in->at, 0x1f, (size_t)(in->end - in->at));

		if (p && plausible_member(p, (size_t)(in->end - p))) {
			in->at = p;
			g->between = g->headless = false;
			g->trailer = 0;
			inflateReset2(&g->z, GZIP_WINDOW_BITS);
			return 1;
		}
		in->at = p ? p + 1 : in->end;
	}
	return rc;
}

static int gzip_enter(struct sf_codec *c, struct sf_input *in, const struct sf_access *a,
		      struct error *err)
{
	struct gzip_codec *g = CONTAINER_OF(c, struct gzip_codec, codec);

	g->between = g->headless = false;
	g->trailer = 0;
	inflateReset2(&g->z, a->window.n ? RAW_WINDOW_BITS : GZIP_WINDOW_BITS);
	if (!a->window.n)
		return 0;
	g->headless = true;
	if (a->bits) {
		int rc = sf_input_fill(in, err);

		if (rc < 0)
			return rc;
		if (rc == 0 || inflatePrime(&g->z, a->bits, *in->at >> (8 - a->bits)) != Z_OK)
			return error_set(err, ERR_FORMAT, "'%s' cannot be entered at byte %llu",
					 in->name, (unsigned long long)a->stored);
		in->at++;
	}
	inflateSetDictionary(&g->z, (const uint8_t *)a->window.p, (uInt)a->window.n);
	return 0;
}

static void gzip_free(struct sf_codec *c)
{
	struct gzip_codec *g = CONTAINER_OF(c, struct gzip_codec, codec);

	inflateEnd(&g->z);
	free(g);
}

static const struct sf_codec_ops gzip_ops = {
    .decode = gzip_decode,
    .resume = gzip_resume,
    .enter = gzip_enter,
    .free = gzip_free,
};

int sf_codec_gzip(struct sf_codec **out, struct error *err)
{
	struct gzip_codec *g = calloc(1, sizeof(*g));

	if (!g)
		return error_nomem(err);
	g->codec.ops = &gzip_ops;
	if (inflateInit2(&g->z, GZIP_WINDOW_BITS) != Z_OK) {
		free(g);
		return error_nomem(err);
	}
	*out = &g->codec;
	return 0;
}
