/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of all kinds, in place: what is in hidden fields, and what is to be hidden everywhere. */
#include <arpa/inet.h>
#include <fnmatch.h>
#include <string.h>

#include "replay/redact_internal.h"

void redact_count(struct redact *r, enum redact_kind kind)
{
	if (!r->gathering)
		r->report.hidden[kind]++;
}

/* ---- paths ---- */

/* Bytes of a pattern before its first wildcard, up to and with the last '/'. */
static size_t fixed_part(const char *pattern)
{
	size_t n = strcspn(pattern, "*?[\\");

	if (!pattern[n] && n) /* one path: its last part is what is hidden */
		while (n > 1 && pattern[n - 1] == '/')
			n--;
	while (n && pattern[n - 1] != '/')
		n--;
	return n;
}

#define PATH_CUT 4096

/* Carry out "." and ".." and double '/', in place. Return: the length. */
static size_t clean_path(char *p, size_t n)
{
	size_t len = 0, i = 0;

	while (i < n) {
		size_t start = i, part;

		while (i < n && p[i] != '/')
			i++;
		part = i - start;
		i += i < n;
		if (part == 0 || (part == 1 && p[start] == '.'))
			continue;
		if (part == 2 && memcmp(p + start, "..", 2) == 0) {
			while (len && p[--len] != '/')
				;
			continue;
		}
		p[len++] = '/';
		memmove(p + len, p + start, part);
		len += part;
	}
	return len;
}

/*
 * Bytes of @path up to and with what is @fixed of its clean form: empty parts and "." may stand
 * between. All of a path that climbs before that is to be hidden.
 */
static size_t kept_part(struct sv path, struct sv fixed)
{
	size_t i = 1;

	for (size_t j = 1; j < fixed.n;) {
		struct sv rest = sv_drop(fixed, j);
		size_t part = (size_t)((const char *)memchr(rest.p, '/', rest.n) - rest.p) + 1;

		while (i < path.n && (path.p[i] == '/' ||
				      (path.p[i] == '.' && i + 1 < path.n && path.p[i + 1] == '/')))
			i++;
		if (!sv_starts(sv_drop(path, i), sv_make(rest.p, part)))
			return 1;
		i += part;
		j += part;
	}
	return i;
}

/* One that is too long to be looked at is hidden. */
bool redact_path_matches(const struct redact *r, struct sv path, size_t *keep)
{
	char text[PATH_CUT + 1];

	*keep = 1;
	if (!path.n || path.p[0] != '/' || path.n > PATH_CUT)
		return path.n > PATH_CUT && path.p[0] == '/' && r->policy->paths.count;
	memcpy(text, path.p, path.n);
	text[clean_path(text, path.n)] = '\0';
	for (size_t i = 0; i < r->policy->paths.count; i++) {
		const char *pattern = r->policy->paths.items[i];

		if (fnmatch(pattern, text, 0) != 0)
			continue;
		*keep = kept_part(path, sv_make(text, fixed_part(pattern)));
		return true;
	}
	return false;
}

/* Is there anything but "/", "." and ".." to hide? */
static bool has_name(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != '/' && p[i] != '.')
			return true;
	return false;
}

static void note_part(struct redact *r, struct sv part)
{
	uint64_t mark = hash_bytes(part.p, part.n, 0);

	if (part.n && !map_get(&r->parts, mark) && map_put(&r->parts, mark, r) < 0)
		r->failed = true;
}

/* While gathering: the parts of a hidden path do not count as visible, and may stand alone. */
static void forget_parts(struct redact *r, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint8_t *slash = memchr(p + i, '/', n - i);
		size_t part = slash ? (size_t)(slash - p) - i : n - i;

		redact_note_hidden(r, REDACT_PATHS, sv_make(p + i, part));
		note_part(r, sv_make(p + i, part));
		i += part + 1;
	}
	memset(p, 0, n);
}

/* Hide all of a relative path but its first @keep bytes. */
static void hide_parts(struct redact *r, uint8_t *p, size_t n, size_t keep)
{
	if (r->gathering) {
		redact_note_hidden(r, REDACT_PATHS, sv_make(p, n));
		forget_parts(r, p + keep, n - keep);
		return;
	}
	redact_well(r, redact_hide, p, n, keep, n - keep);
}

static bool hide_relative(struct redact *r, struct sv base, uint8_t *p, size_t n)
{
	struct buf *b = &r->scratch;
	size_t keep = 0;

	if (!base.n || base.p[0] != '/') { /* nobody knows where it is */
		hide_parts(r, p, n, 0);
		return true;
	}
	buf_reset(b);
	buf_sv(b, base);
	buf_char(b, '/');
	buf_add(b, p, n);
	r->failed |= b->failed;
	if (b->failed || !redact_path_matches(r, buf_view(b), &keep))
		return false;
	hide_parts(r, p, n, keep > base.n + 1 ? keep - base.n - 1 : 0);
	return true;
}

/* ---- what stays visible ---- */

/* Hide @t at @at, but for its first @keep bytes. */
static void hide_found(struct redact *r, const struct redact_text *t, uint8_t *p, size_t n,
		       size_t at, size_t keep)
{
	size_t from = at + keep, len = t->text.n - keep;
	enum redact_kind kind = (enum redact_kind)t->kind;

	if (kind == REDACT_ADDRESSES)
		redact_well(r, redact_hide_digits, p, n, from, len);
	else if (kind == REDACT_CONTAINERS)
		redact_well(r, redact_hide_id, p, n, from, len);
	else if (has_name(p + from, len))
		redact_well(r, redact_hide, p, n, from, len);
	else
		redact_well(r, redact_hide_part, p, n, at, t->text.n);
	redact_count(r, kind);
}

/* What stays of a path may hold something else. */
static void hide_rest(struct redact *r, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n && !r->gathering; i++) {
		const struct redact_text *t = redact_match_at(&r->match, p, n, i);

		if (!t)
			continue;
		hide_found(r, t, p, n, i, 0);
		i += t->text.n - 1;
	}
}

/* ---- paths in their place ---- */

static bool path_is_hidden(struct redact *r, uint8_t *p, size_t n)
{
	hide_rest(r, p, n);
	redact_note_name(r, sv_make(p, n));
	redact_count(r, REDACT_PATHS);
	return true;
}

bool redact_path(struct redact *r, struct sv base, uint8_t *p, size_t n)
{
	struct sv path = sv_make(p, n);
	size_t keep;

	if (!r->policy->paths.count || !has_name(p, n))
		return false;
	if (p[0] != '/') {
		if (!hide_relative(r, base, p, n))
			return false;
		return path_is_hidden(r, p, n);
	}
	if (!redact_path_matches(r, path, &keep) || !has_name(p + keep, n - keep))
		return false;
	if (r->gathering) {
		if (redact_is_string(sv_make(p + keep, n - keep)))
			redact_secret(r, REDACT_PATHS, path, keep, false);
		forget_parts(r, p + keep, n - keep);
	}
	redact_well(r, redact_hide, p, n, keep, n - keep);
	return path_is_hidden(r, p, n);
}

void redact_path_value(struct redact *r, struct sv base, enum redact_class c, uint8_t *p, size_t n)
{
	if (redact_path(r, base, p, n))
		redact_note_staying(r, p, n);
	else
		redact_value(r, c, p, n);
}

static bool ends_path(uint8_t c)
{
	return c <= ' ' || strchr("\"'`:;,|<>(){}=", c) != NULL;
}

/* Bytes of the path at the start of a text. */
static size_t path_length(const uint8_t *p, size_t n)
{
	size_t end = 0;

	while (end < n && !ends_path(p[end]))
		end++;
	return end;
}

/* What is to be hidden wherever it stands, and paths within a text. */
static void hide_everywhere(struct redact *r, uint8_t *p, size_t n)
{
	bool paths = r->policy->paths.count;

	for (size_t i = 0; i < n; i++) {
		const struct redact_text *t =
		    r->gathering ? NULL : redact_match_at(&r->match, p, n, i);
		size_t path;

		if (t) {
			hide_found(r, t, p, n, i, t->keep);
			if (t->keep)
				hide_rest(r, p + i, t->text.n);
			i += t->text.n - 1;
		} else if (paths && p[i] == '/' && (i == 0 || ends_path(p[i - 1]))) {
			path = path_length(p + i, n - i);
			if (redact_path(r, SV_NONE, p + i, path))
				i += path - 1;
		}
	}
}

/* Ids of containers in paths of control groups. */
static void gather_ids(struct redact *r, struct sv text)
{
	size_t run = 0;

	for (size_t i = 0; i <= text.n; i++) {
		bool hex = i < text.n && text.p[i] && strchr("0123456789abcdef", text.p[i]);

		if (!hex && run == 64) {
			struct sv id = sv_make(text.p + i - run, run);

			redact_secret(r, REDACT_CONTAINERS, id, 0, false);
			redact_secret(r, REDACT_CONTAINERS, sv_make(id.p, 12), 0, true);
		}
		run = hex ? run + 1 : 0;
	}
}

/* Data, which says nothing of what is visible elsewhere. */
static void visible_data(struct redact *r, uint8_t *p, size_t n)
{
	if (r->gathering && r->policy->containers)
		gather_ids(r, sv_make(p, n));
	if (!r->gathering || r->policy->paths.count)
		hide_everywhere(r, p, n);
	if (!r->gathering)
		redact_note_staying(r, p, n);
}

static void visible(struct redact *r, uint8_t *p, size_t n)
{
	visible_data(r, p, n);
	redact_note_name(r, sv_make(p, n));
}

/* ---- values of one class ---- */

/* Each of the texts that lie back to back, without their NUL. */
static void each_string(struct redact *r, uint8_t *p, size_t n,
			void (*fn)(struct redact *, uint8_t *, size_t))
{
	while (n) {
		size_t k = strnlen((const char *)p, n);

		if (k)
			fn(r, p, k);
		k += k < n; /* its NUL */
		p += k;
		n -= k;
	}
}

static void hide_argument(struct redact *r, uint8_t *p, size_t n)
{
	redact_note_hidden(r, REDACT_ARGUMENTS, sv_make(p, n));
	redact_well(r, redact_hide, p, n, 0, n);
	redact_count(r, REDACT_ARGUMENTS);
}

/* The name stays, and where there is none nothing does. */
static void hide_variable(struct redact *r, uint8_t *p, size_t n)
{
	const uint8_t *is = memchr(p, '=', n);
	size_t name = is ? (size_t)(is - p) + 1 : 0;

	if (name)
		visible(r, p, name - 1);
	redact_note_hidden(r, REDACT_ENVIRONMENT, sv_make(p + name, n - name));
	redact_well(r, redact_hide, p, n, name, n - name);
	redact_count(r, REDACT_ENVIRONMENT);
}

/* "name argument argument", as a process list or a title has it. */
static void hide_command(struct redact *r, uint8_t *p, size_t n)
{
	const uint8_t *blank = memchr(p, ' ', n);
	size_t i = blank ? (size_t)(blank - p) : n;

	visible(r, p, i);
	while (i < n) {
		size_t end = ++i;

		while (end < n && p[end] != ' ')
			end++;
		redact_note_hidden(r, REDACT_ARGUMENTS, sv_make(p + i, end - i));
		redact_well(r, redact_hide, p, n, i, end - i);
		i = end;
	}
	if (blank)
		redact_count(r, REDACT_ARGUMENTS);
}

static void hide_container(struct redact *r, uint8_t *p, size_t n)
{
	redact_note_hidden(r, REDACT_CONTAINERS, sv_make(p, n));
	redact_well(r, redact_hide_id, p, n, 0, n);
	redact_count(r, REDACT_CONTAINERS);
}

/* ---- what is known of a container ---- */

struct json_walk {
	uint8_t *p;
	size_t n, i;
	struct sv key; /* the last one */
};

/* A string from its first byte on; behind the closing quote afterwards. */
static struct sv json_text(struct json_walk *w)
{
	size_t from = ++w->i;

	while (w->i < w->n && w->p[w->i] != '"')
		w->i += w->p[w->i] == '\\' ? 2 : 1;
	if (w->i > w->n)
		w->i = w->n;
	w->i++;
	return sv_make(w->p + from, w->i - 1 - from);
}

static bool json_is_key(const struct json_walk *w)
{
	size_t i = w->i;

	while (i < w->n && strchr(" \t\r\n", w->p[i]) && w->p[i])
		i++;
	return i < w->n && w->p[i] == ':';
}

static bool is_hex_id(struct sv s)
{
	if (s.n != 12 && s.n != 64)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr("0123456789abcdef", s.p[i]))
			return false;
	return true;
}

static void json_value(struct redact *r, struct sv key, uint8_t *p, size_t n)
{
	struct sv text = sv_make(p, n);
	bool env = sv_is(key, "env") || sv_is(key, "Env");

	if (env && r->policy->environment) {
		hide_variable(r, p, n);
	} else if (!r->policy->containers) {
		visible(r, p, n);
	} else {
		if (r->gathering && is_hex_id(text))
			gather_ids(r, text);
		if (r->gathering && is_hex_id(text) && n == 12)
			redact_secret(r, REDACT_CONTAINERS, text, 0, true);
		hide_container(r, p, n);
	}
}

static void hide_json(struct redact *r, uint8_t *p, size_t n)
{
	struct json_walk w = {.p = p, .n = n};

	while (w.i < n) {
		struct sv s;

		if (p[w.i] != '"') {
			w.i++;
			continue;
		}
		s = json_text(&w);
		if (json_is_key(&w)) {
			w.key = s;
			visible(r, (uint8_t *)s.p, s.n);
		} else if (s.n) {
			json_value(r, w.key, (uint8_t *)s.p, s.n);
		}
	}
}

/* ---- all of them ---- */

static void hide_unknown(struct redact *r, uint8_t *p, size_t n)
{
	memset(p, 0, n);
	redact_count(r, REDACT_UNKNOWN);
}

/* Of data that is text, without what ends it: what of it might stand elsewhere. */
static struct sv text_of(const uint8_t *p, size_t n)
{
	while (n && p[n - 1] <= ' ')
		n--;
	for (size_t i = 0; i < n; i++)
		if (p[i] < ' ' && !memchr("\t\r\n", p[i], 3))
			return SV_NONE;
	return sv_make(p, n);
}

static void hide_buffer(struct redact *r, uint8_t *p, size_t n)
{
	if (r->policy->strict)
		redact_note_hidden(r, REDACT_BUFFERS, text_of(p, n));
	redact_well(r, redact_hide_bytes, p, n, 0, n);
	redact_count(r, REDACT_BUFFERS);
}

void redact_value(struct redact *r, enum redact_class c, uint8_t *p, size_t n)
{
	const struct redact_policy *o = r->policy;

	if (!n)
		return;
	switch (c) {
	case RC_TEXT:
	case RC_PATH:
		visible(r, p, n);
		break;
	case RC_STRINGS:
		each_string(r, p, n, visible);
		break;
	case RC_ARGUMENTS:
		each_string(r, p, n, o->arguments ? hide_argument : visible);
		break;
	case RC_COMMAND:
		each_string(r, p, n, o->arguments ? hide_command : visible);
		break;
	case RC_ENVIRONMENT:
		each_string(r, p, n, o->environment ? hide_variable : visible);
		break;
	case RC_BUFFER:
		if (o->buffers)
			hide_buffer(r, p, n);
		else
			visible_data(r, p, n);
		break;
	case RC_JSON:
		if (o->containers || o->environment)
			hide_json(r, p, n);
		else
			visible(r, p, n);
		break;
	case RC_CONTAINER:
		if (o->containers)
			each_string(r, p, n, hide_container);
		else
			visible(r, p, n);
		break;
	case RC_USER:
		each_string(r, p, n, visible);
		break;
	case RC_UNKNOWN:
		hide_unknown(r, p, n);
		break;
	}
}

/* ---- addresses ---- */

static void gather_address(struct redact *r, const uint8_t *p, size_t n)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(n == 4 ? AF_INET : AF_INET6, p, text, sizeof(text)))
		redact_secret(r, REDACT_ADDRESSES, sv_of(text), 0, true);
}

void redact_address(struct redact *r, uint8_t *p, size_t n)
{
	bool hidden;

	if (!r->policy->addresses)
		return;
	if (r->gathering) {
		uint8_t copy[16];

		memcpy(copy, p, n);
		if (n == 4 ? redact_hide_ipv4(r, copy) : redact_hide_ipv6(r, copy))
			gather_address(r, p, n);
		return;
	}
	hidden = n == 4 ? redact_hide_ipv4(r, p) : redact_hide_ipv6(r, p);
	if (hidden)
		redact_count(r, REDACT_ADDRESSES);
}
