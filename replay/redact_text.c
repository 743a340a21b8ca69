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

/* ---- what is learnt ---- */

static bool has_room(struct redact *r, size_t n)
{
	if (r->match.count + r->avoid.count + r->candidates.count < REDACT_STRINGS_MAX &&
	    r->arena.total + n < REDACT_BYTES_MAX)
		return true;
	r->full = true;
	return false;
}

static void add_to(struct redact *r, struct redact_match *m, const struct redact_text *like)
{
	struct redact_text *t;

	if (like->text.n < REDACT_WORD_MIN || smap_get(&m->texts, like->text) ||
	    !has_room(r, like->text.n + sizeof(*t)))
		return;
	t = arena_zalloc(&r->arena, 1, sizeof(*t));
	if (t) {
		*t = *like;
		t->text = arena_sv(&r->arena, like->text);
	}
	if (!t || !t->text.p || redact_match_add(m, t) < 0)
		r->failed = true;
}

void redact_secret(struct redact *r, enum redact_kind kind, struct sv text, size_t keep,
		   bool is_word)
{
	const struct redact_text t = {
	    .text = text, .keep = (uint32_t)keep, .kind = (uint8_t)kind, .is_word = is_word};

	add_to(r, &r->match, &t);
}

void redact_avoid(struct redact *r, struct sv text)
{
	add_to(r, &r->avoid, &(const struct redact_text){.text = text});
}

static uint64_t mark_of(struct sv text)
{
	return hash_bytes(text.p, text.n, 0);
}

/* A text that stays: no hidden value that equals it is looked for. */
static void note_visible(struct redact *r, struct sv text)
{
	if (text.n < REDACT_VALUE_MIN || !r->gathering || map_get(&r->visible, mark_of(text)))
		return;
	if (has_room(r, 32) && map_put(&r->visible, mark_of(text), r) < 0)
		r->failed = true;
}

/* And so do its parts. */
static void note_visible_parts(struct redact *r, struct sv text)
{
	note_visible(r, text);
	while (text.n) {
		const char *slash = memchr(text.p, '/', text.n);
		size_t n = slash ? (size_t)(slash - text.p) : text.n;

		note_visible(r, sv_make(text.p, n));
		text = sv_drop(text, n + 1);
	}
}

/* What was hidden in one place may stand elsewhere, too. */
static void note_hidden(struct redact *r, struct sv text)
{
	char *copy;

	if (!r->gathering || text.n < REDACT_STRING_MIN || smap_get(&r->candidates, text) ||
	    !has_room(r, text.n + 32))
		return;
	copy = arena_strndup(&r->arena, text.p, text.n);
	if (!copy || smap_put(&r->candidates, sv_make(copy, text.n), copy) < 0)
		r->failed = true;
}

/* Paths are a matter of their own. */
static void note_value(struct redact *r, struct sv text)
{
	if (!memchr(text.p, '/', text.n))
		note_hidden(r, text);
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

/* Is @path as it is when it is clean, but for a '/' at its end? */
static bool is_clean(struct sv path, const char *clean, size_t n)
{
	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	return path.n == n && memcmp(path.p, clean, n) == 0;
}

bool redact_path_matches(const struct redact *r, struct sv path, size_t *keep)
{
	char text[PATH_CUT + 1];
	size_t n;

	if (!path.n || path.p[0] != '/' || path.n > PATH_CUT)
		return false;
	memcpy(text, path.p, path.n);
	n = clean_path(text, path.n);
	text[n] = '\0';
	for (size_t i = 0; i < r->policy->paths.count; i++) {
		const char *pattern = r->policy->paths.items[i];

		if (fnmatch(pattern, text, 0) != 0)
			continue;
		*keep = is_clean(path, text, n) ? fixed_part(pattern) : 1;
		return *keep <= path.n;
	}
	return false;
}

/* How many parts a cleaned path has. */
static unsigned count_parts(const char *p, size_t n)
{
	unsigned parts = 0;

	for (size_t i = 0; i < n; i++)
		parts += p[i] == '/';
	return parts;
}

/* Is there anything but "/", "." and ".." to hide? */
static bool has_name(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != '/' && p[i] != '.')
			return true;
	return false;
}

/* What is shorter comes about by chance. */
static bool has_long_part(const uint8_t *p, size_t n)
{
	size_t run = 0;

	for (size_t i = 0; i < n && run < REDACT_STRING_MIN; i++)
		run = p[i] == '/' ? 0 : run + 1;
	return run >= REDACT_STRING_MIN;
}

static void note_part(struct redact *r, struct sv part)
{
	if (part.n && !map_get(&r->parts, mark_of(part)) && has_room(r, 32) &&
	    map_put(&r->parts, mark_of(part), r) < 0)
		r->failed = true;
}

/* While gathering: the parts of a hidden path do not count as visible, and may stand alone. */
static void forget_parts(struct redact *r, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint8_t *slash = memchr(p + i, '/', n - i);
		size_t part = slash ? (size_t)(slash - p) - i : n - i;

		note_hidden(r, sv_make(p + i, part));
		note_part(r, sv_make(p + i, part));
		i += part + 1;
	}
	memset(p, 0, n);
}

/* Hide all parts of a relative path but the first @keep. */
static void hide_parts(struct redact *r, uint8_t *p, size_t n, unsigned keep)
{
	size_t i = 0;

	while (keep && i < n)
		keep -= p[i++] == '/';
	if (r->gathering) {
		note_hidden(r, sv_make(p, n));
		forget_parts(r, p + i, n - i);
		return;
	}
	redact_well(r, redact_hide, p, n, i, n - i);
}

static bool hide_relative(struct redact *r, struct sv base, uint8_t *p, size_t n)
{
	bool climbs = memmem(p, n, "..", 2) != NULL;
	unsigned parts, below;
	size_t keep = 0;
	struct buf *b = &r->scratch;

	if (!base.n || base.p[0] != '/') { /* nobody knows where it is */
		hide_parts(r, p, n, 0);
		return true;
	}
	buf_reset(b);
	buf_sv(b, base);
	buf_char(b, '/');
	buf_add(b, p, n);
	if (b->failed) {
		r->failed = true;
		return false;
	}
	b->len = clean_path(b->p, b->len);
	if (!redact_path_matches(r, buf_view(b), &keep))
		return false;
	parts = count_parts(b->p, keep); /* that may be told, and one more '/' */
	buf_reset(b);
	buf_sv(b, base);
	below = count_parts(b->p, clean_path(b->p, b->len));
	hide_parts(r, p, n, climbs || parts <= below + 1 ? 0 : parts - below - 1);
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
		redact_count(r, REDACT_PATHS);
		return true;
	}
	if (!redact_path_matches(r, path, &keep) || !has_name(p + keep, n - keep))
		return false;
	if (r->gathering) {
		if (has_long_part(p + keep, n - keep))
			redact_secret(r, REDACT_PATHS, path, keep, false);
		forget_parts(r, p + keep, n - keep);
		return true;
	}
	redact_well(r, redact_hide, p, n, keep, n - keep);
	redact_count(r, REDACT_PATHS);
	return true;
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

/* ---- what stays visible ---- */

static void hide_found(struct redact *r, const struct redact_text *t, uint8_t *p, size_t n,
		       size_t at)
{
	size_t from = at + t->keep, len = t->text.n - t->keep;
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

/* What is to be hidden wherever it stands, and paths within a text. */
static void hide_everywhere(struct redact *r, uint8_t *p, size_t n)
{
	bool paths = r->policy->paths.count;

	for (size_t i = 0; i < n; i++) {
		const struct redact_text *t =
		    r->gathering ? NULL : redact_match_at(&r->match, p, n, i);
		size_t path;

		if (t) {
			hide_found(r, t, p, n, i);
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

static void visible(struct redact *r, uint8_t *p, size_t n)
{
	if (r->gathering && r->policy->containers)
		gather_ids(r, sv_make(p, n));
	if (!r->gathering || r->policy->paths.count)
		hide_everywhere(r, p, n);
	if (r->gathering)
		note_visible_parts(r, sv_make(p, n));
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
	note_value(r, sv_make(p, n));
	redact_well(r, redact_hide, p, n, 0, n);
	redact_count(r, REDACT_ARGUMENTS);
}

/* The name stays, and where there is none nothing does. */
static void hide_variable(struct redact *r, uint8_t *p, size_t n)
{
	const uint8_t *is = memchr(p, '=', n);
	size_t name = is ? (size_t)(is - p) + 1 : 0;

	if (name)
		hide_everywhere(r, p, name);
	note_value(r, sv_make(p + name, n - name));
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
		if (end > i)
			redact_well(r, redact_hide, p, n, i, end - i);
		i = end;
	}
	if (blank)
		redact_count(r, REDACT_ARGUMENTS);
}

static void hide_user(struct redact *r, uint8_t *p, size_t n)
{
	hide_everywhere(r, p, n);
}

static void hide_container(struct redact *r, uint8_t *p, size_t n)
{
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
		note_value(r, text);
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
			hide_everywhere(r, (uint8_t *)s.p, s.n);
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

static void hide_buffer(struct redact *r, uint8_t *p, size_t n)
{
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
			visible(r, p, n);
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
		each_string(r, p, n, o->users ? hide_user : visible);
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
