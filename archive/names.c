/* SPDX-License-Identifier: Apache-2.0 */
/* Names of members: which are fit to be used, and whether two of them could be taken for one. */
#include <string.h>

#include "archive/internal.h"
#include "base/json.h"

/* ---- one name ---- */

static const char *component_trouble(struct sv part)
{
	if (!part.n)
		return "it has an empty part";
	if (sv_is(part, ".") || sv_is(part, ".."))
		return "it has a part that leads elsewhere";
	return NULL;
}

static const char *text_trouble(struct sv name)
{
	while (name.n) {
		uint32_t cp;
		unsigned bad, n = utf8_decode(name, &cp, &bad);

		if (!n)
			return "it is no UTF-8";
		if (utf8_is_harmful(cp))
			return "it has control characters";
		if (cp == '\\')
			return "it has a backslash, which some systems take for a slash";
		name = sv_drop(name, n);
	}
	return NULL;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

const char *arc_name_trouble(const char *name, bool dir)
{
	struct sv rest = sv_of(name);
	const char *trouble;

	if (dir && rest.n > 1 && sv_ends(rest, SV_LIT("/")))
		rest.n--;
	if (!rest.n)
		return "it is empty";
	if (rest.n > ARC_NAME_MAX)
		return "it is too long";
	if (rest.p[0] == '/' || (rest.n > 1 && is_letter(rest.p[0]) && rest.p[1] == ':'))
		return "it is absolute";
	trouble = text_trouble(rest);
	while (!trouble) {
		const char *slash = memchr(rest.p, '/', rest.n);

		trouble =
		    component_trouble(sv_make(rest.p, slash ? (size_t)(slash - rest.p) : rest.n));
		if (!slash)
			break;
		rest = sv_drop(rest, (size_t)(slash - rest.p) + 1);
	}
	return trouble;
}

void arc_plain_text(char *to, size_t room, const char *text)
{
	size_t n = 0;

	for (; *text && n + 1 < room; text++)
		to[n++] = *text < ' ' || *text > '~' ? '?' : *text;
	to[n] = '\0';
}

/* ---- all names of an archive ---- */

void arc_names_done(struct arc_names *n)
{
	smap_done(&n->exact);
	smap_done(&n->folded);
	arena_done(&n->arena);
	buf_done(&n->scratch);
}

/* Lower case, for the alphabets that file systems without case are most often used with. */
static uint32_t fold(uint32_t cp)
{
	if ((cp >= 'A' && cp <= 'Z') || (cp >= 0xc0 && cp <= 0xde && cp != 0xd7) ||
	    (cp >= 0x391 && cp <= 0x3a9) || (cp >= 0x410 && cp <= 0x42f))
		return cp + 0x20;
	if (cp >= 0x400 && cp <= 0x40f)
		return cp + 0x50;
	if (cp >= 0x100 && cp <= 0x137)
		return cp | 1;
	return cp;
}

/* Code points as bytes: it is compared only, never shown. */
static struct sv folded(struct arc_names *n, struct sv name)
{
	buf_reset(&n->scratch);
	while (name.n) {
		uint32_t cp = 0;
		unsigned bad = 1, len = utf8_decode(name, &cp, &bad);

		cp = len ? fold(cp) : (unsigned char)name.p[0];
		buf_add(&n->scratch, &cp, cp < 0x80 ? 1 : sizeof(cp));
		name = sv_drop(name, len ? len : 1);
	}
	return buf_view(&n->scratch);
}

static int add(struct arc_names *n, struct smap *map, struct sv key, void *value)
{
	struct sv own = arena_sv(&n->arena, key);

	return own.p ? smap_put(map, own, value) : ERR_NOMEM;
}

int arc_names_add(struct arc_names *n, struct sv name, bool dir, struct sv *other)
{
	const char *is = smap_get(&n->exact, name);
	char *own;
	struct sv key;

	*other = name;
	if (is) /* a directory may be named again, nothing else may */
		return dir && *is == 'd' ? ARC_NAME_NEW : ARC_NAME_TWICE;
	n->bytes += name.n;
	if (n->exact.count >= ARC_MEMBERS_MAX || n->bytes > ARC_NAMES_MAX)
		return ARC_NAME_TOO_MANY;
	key = folded(n, name);
	if (n->scratch.failed)
		return ERR_NOMEM;
	is = smap_get(&n->folded, key);
	if (is) {
		*other = sv_of(is);
		return ARC_NAME_CASE;
	}
	own = arena_strndup(&n->arena, name.p, name.n);
	if (!own || add(n, &n->exact, name, (void *)(uintptr_t)(dir ? "d" : "f")) ||
	    add(n, &n->folded, key, own))
		return ERR_NOMEM;
	return ARC_NAME_NEW;
}
