/* SPDX-License-Identifier: Apache-2.0 */
/* The text of work lists. A list that was read is written as the same text. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/map.h"
#include "regress/shard.h"

#define HEAD	"scapula-shard"
#define VERSION 1

/* --- lines and words */

struct parser {
	struct sv rest; /* lines that follow */
	struct sv line; /* what is left of the one at hand */
	uint64_t number;
	struct error *err;
};

static int bad(const struct parser *p, const char *what)
{
	return error_set(p->err, ERR_FORMAT, "line %llu of the list: %s",
			 (unsigned long long)p->number, what);
}

static bool next_line(struct sv *rest, struct sv *line)
{
	const char *end;

	if (!rest->n)
		return false;
	end = memchr(rest->p, '\n', rest->n);
	*line = sv_make(rest->p, end ? (size_t)(end - rest->p) : rest->n);
	*rest = sv_drop(*rest, line->n + 1);
	return true;
}

/* The next word of the line; empty at its end. */
static struct sv next_word(struct parser *p)
{
	const char *end = p->line.n ? memchr(p->line.p, ' ', p->line.n) : NULL;
	struct sv word = sv_make(p->line.p, end ? (size_t)(end - p->line.p) : p->line.n);

	p->line = sv_drop(p->line, word.n + 1);
	return word;
}

/* Decimal, as it is written: without leading zeros. */
static bool number_of(struct sv word, uint64_t *out)
{
	*out = 0;
	if (!word.n || (word.p[0] == '0' && word.n > 1))
		return false;
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] < '0' || word.p[i] > '9' || __builtin_mul_overflow(*out, 10u, out) ||
		    __builtin_add_overflow(*out, (uint64_t)(word.p[i] - '0'), out))
			return false;
	return true;
}

static bool is_hash(struct sv word)
{
	for (size_t i = 0; i < word.n; i++)
		if (!((word.p[i] >= '0' && word.p[i] <= '9') ||
		      (word.p[i] >= 'a' && word.p[i] <= 'f')))
			return false;
	return word.n == REG_HEX;
}

static void take_hash(char to[REG_HEX + 1], struct sv word)
{
	memcpy(to, word.p, REG_HEX);
	to[REG_HEX] = '\0';
}

/* --- paths: in quotation marks where they have anything but plain characters */

static bool is_plain(char c)
{
	return c > ' ' && c <= '~' && c != '"' && c != '\\';
}

static void write_path(struct buf *b, const char *path)
{
	size_t plain = 0;

	while (is_plain(path[plain]))
		plain++;
	if (!path[plain]) {
		buf_str(b, path);
		return;
	}
	buf_char(b, '"');
	for (; *path; path++) {
		if (*path == '"' || *path == '\\')
			buf_addf(b, "\\%c", *path);
		else if (is_plain(*path) || *path == ' ')
			buf_char(b, *path);
		else
			buf_addf(b, "\\%03o", (unsigned char)*path);
	}
	buf_char(b, '"');
}

/* What follows a backslash, "OOO" or the character itself. Return: its length, 0: none of these. */
static size_t unescape(struct sv s, char *out)
{
	unsigned value = 0;

	if (s.n && (s.p[0] == '"' || s.p[0] == '\\')) {
		*out = s.p[0];
		return 1;
	}
	for (size_t i = 0; i < 3; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '7')
			return 0;
		value = 8 * value + (unsigned)(s.p[i] - '0');
	}
	*out = (char)value;
	return value && value < 256 ? 3 : 0;
}

/* Return: a path of @a, or NULL with *what. */
static const char *read_quoted(struct sv s, struct arena *a, const char **what)
{
	char path[REG_PATH_MAX + 1];
	size_t n = 0;

	*what = "a path in quotation marks is not one";
	while (s.n && s.p[0] != '"') {
		size_t used = 1;

		if (n == REG_PATH_MAX || s.p[0] == '\0')
			return NULL;
		path[n] = s.p[0];
		if (s.p[0] == '\\') {
			s = sv_drop(s, 1);
			used = unescape(s, &path[n]);
		}
		if (!used)
			return NULL;
		s = sv_drop(s, used);
		n++;
	}
	if (s.n != 1 || !n)
		return NULL;
	*what = "out of memory";
	return arena_strndup(a, path, n);
}

static const char *read_path(struct sv s, struct arena *a, const char **what)
{
	if (s.n && s.p[0] == '"')
		return read_quoted(sv_drop(s, 1), a, what);
	*what = "expected a path";
	for (size_t i = 0; i < s.n; i++)
		if (!is_plain(s.p[i]))
			return NULL;
	if (!s.n || s.n > REG_PATH_MAX)
		return NULL;
	*what = "out of memory";
	return arena_strndup(a, s.p, s.n);
}

/* --- writing */

static void write_trace(struct buf *b, const struct reg_trace *t)
{
	buf_addf(b, "trace %llu %u %s %llu ", (unsigned long long)t->seq, t->shard, t->sha256,
		 (unsigned long long)t->bytes);
	if (t->counted)
		buf_u64(b, t->events);
	else
		buf_char(b, '-');
	buf_char(b, ' ');
	write_path(b, t->path);
	buf_char(b, '\n');
}

static bool is_of(const struct reg_trace *t, int shard)
{
	return shard == REG_MANIFEST || t->shard == (unsigned)shard;
}

void reg_list_write(const struct reg_list *l, int shard, struct buf *b)
{
	size_t holds = 0;

	for (size_t i = 0; i < l->count; i++)
		holds += is_of(&l->trace[i], shard);
	buf_addf(b, HEAD " %d\njob %s\nby %s\nshards %u\ntraces %llu\n", VERSION, l->job,
		 l->by_events ? "events" : "bytes", l->shards, (unsigned long long)l->traces);
	if (shard != REG_MANIFEST)
		buf_addf(b, "shard %d\n", shard);
	buf_addf(b, "holds %zu\n", holds);
	for (size_t i = 0; i < l->count; i++)
		if (is_of(&l->trace[i], shard))
			write_trace(b, &l->trace[i]);
}

/* Paths are not in it: where the captures lie is nobody's business but the worker's. */
int reg_list_seal(struct reg_list *l, struct error *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[REG_HEX / 2];
	char line[160];
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
	int n = snprintf(line, sizeof(line), "%d %s %u\n", VERSION,
			 l->by_events ? "events" : "bytes", l->shards);

	ok = ok && EVP_DigestUpdate(ctx, line, (size_t)n) == 1;
	for (size_t i = 0; i < l->count && ok; i++) {
		const struct reg_trace *t = &l->trace[i];

		n = snprintf(line, sizeof(line), "%llu %u %s %llu\n", (unsigned long long)t->seq,
			     t->shard, t->sha256, (unsigned long long)t->bytes);
		ok = EVP_DigestUpdate(ctx, line, (size_t)n) == 1;
	}
	ok = ok && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return error_nomem(err);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(l->job + 2 * i, 3, "%02x", digest[i]);
	return 0;
}

/* --- reading */

/* "KEY VALUE" as the next line; *value is what follows the blank. */
static int expect(struct parser *p, const char *key, struct sv *value)
{
	char what[64];

	p->number++;
	if (next_line(&p->rest, &p->line) && sv_is(next_word(p), key)) {
		*value = p->line;
		return 0;
	}
	snprintf(what, sizeof(what), "expected '%s'", key);
	return bad(p, what);
}

static int expect_number(struct parser *p, const char *key, uint64_t least, uint64_t most,
			 uint64_t *out)
{
	struct sv value;
	int rc = expect(p, key, &value);

	if (rc < 0)
		return rc;
	if (number_of(value, out) && *out >= least && *out <= most)
		return 0;
	return error_set(p->err, ERR_FORMAT, "line %llu of the list: %s: expected %llu to %llu",
			 (unsigned long long)p->number, key, (unsigned long long)least,
			 (unsigned long long)most);
}

static int read_version(struct parser *p)
{
	struct sv value;
	uint64_t version;
	int rc = expect(p, HEAD, &value);

	if (rc < 0)
		return error_set(p->err, ERR_FORMAT, "not a list of 'scapula shard'");
	if (!number_of(value, &version) || !version)
		return bad(p, "expected the version of the format");
	if (version > VERSION)
		return error_set(p->err, ERR_UNSUPPORTED,
				 "the list has version %llu, this program knows versions up to %d",
				 (unsigned long long)version, VERSION);
	return 0;
}

static int read_head(struct parser *p, struct reg_list *l, uint64_t *holds)
{
	struct sv value;
	uint64_t n = 0;
	int rc = read_version(p);

	if (rc == 0)
		rc = expect(p, "job", &value);
	if (rc == 0 && !is_hash(value))
		rc = bad(p, "expected a SHA-256");
	if (rc < 0)
		return rc;
	take_hash(l->job, value);
	rc = expect(p, "by", &value);
	if (rc == 0 && !sv_is(value, "bytes") && !sv_is(value, "events"))
		rc = bad(p, "expected bytes or events");
	if (rc < 0)
		return rc;
	l->by_events = sv_is(value, "events");
	rc = expect_number(p, "shards", 1, REG_SHARDS_MAX, &n);
	l->shards = (unsigned)n;
	if (rc == 0)
		rc = expect_number(p, "traces", 1, REG_TRACES_MAX, &l->traces);
	l->shard = REG_MANIFEST;
	if (rc == 0 && sv_starts(p->rest, SV_LIT("shard "))) {
		rc = expect_number(p, "shard", 0, l->shards - 1, &n);
		l->shard = (int)n;
	}
	return rc < 0 ? rc : expect_number(p, "holds", 0, l->traces, holds);
}

static int read_trace(struct parser *p, const struct reg_list *l, struct reg_trace *t,
		      struct arena *a)
{
	struct sv value;
	uint64_t n = 0;
	const char *what;
	int rc = expect(p, "trace", &value);

	if (rc < 0)
		return rc;
	if (!number_of(next_word(p), &t->seq) || t->seq < 1 || t->seq > l->traces)
		return bad(p, "the number of the trace is not one of the job");
	if (!number_of(next_word(p), &n) || n >= l->shards ||
	    (l->shard >= 0 && n != (unsigned)l->shard))
		return bad(p, "the trace is of another shard");
	t->shard = (unsigned)n;
	value = next_word(p);
	if (!is_hash(value))
		return bad(p, "expected a SHA-256");
	take_hash(t->sha256, value);
	if (!number_of(next_word(p), &t->bytes))
		return bad(p, "expected the size of the file");
	value = next_word(p);
	t->counted = number_of(value, &t->events);
	if (!t->counted && !sv_is(value, "-"))
		return bad(p, "expected a number of events, or -");
	t->path = read_path(p->line, a, &what);
	return t->path ? 0 : bad(p, what);
}

/* Each trace once, in the order of the job. */
static int check_new(struct parser *p, struct smap *known, const struct reg_trace *t, bool first)
{
	struct sv hash = sv_make(t->sha256, REG_HEX);

	if (!first && t->seq <= t[-1].seq)
		return bad(p, "the traces are not in the order of the job");
	if (smap_get(known, hash))
		return bad(p, "the same capture is there twice");
	return smap_put(known, hash, known) < 0 ? error_nomem(p->err) : 0;
}

static int read_traces(struct parser *p, struct reg_list *l, uint64_t holds)
{
	struct smap known = {0};
	int rc = 0;

	/* A line has more bytes than this: what the text cannot hold is not allocated. */
	if (holds > p->rest.n / REG_HEX)
		return bad(p, "fewer traces follow");
	l->trace = arena_zalloc(&l->arena, (size_t)holds + 1, sizeof(*l->trace));
	if (!l->trace)
		return error_nomem(p->err);
	for (; l->count < holds && rc == 0; l->count++) {
		struct reg_trace *t = &l->trace[l->count];

		rc = read_trace(p, l, t, &l->arena);
		if (rc == 0)
			rc = check_new(p, &known, t, l->count == 0);
	}
	smap_done(&known);
	if (rc == 0 && p->rest.n)
		rc = bad(p, "more follows than the list is to hold");
	return rc;
}

static int check_manifest(struct reg_list *l, struct error *err)
{
	char job[REG_HEX + 1];
	int rc;

	if (l->shard != REG_MANIFEST)
		return 0;
	memcpy(job, l->job, sizeof(job));
	rc = reg_list_seal(l, err);
	if (rc == 0 && (l->count != l->traces || strcmp(job, l->job) != 0))
		rc = error_set(err, ERR_FORMAT, "the traces are not those of the job");
	return rc;
}

int reg_list_parse(struct sv text, struct reg_list *out, struct error *err)
{
	struct parser p = {.rest = text, .err = err};
	struct reg_list l = {0};
	uint64_t holds = 0;
	int rc;

	if (text.n > REG_LIST_MAX)
		return error_set(err, ERR_LIMIT, "the list has more than %u bytes", REG_LIST_MAX);
	if (text.n && text.p[text.n - 1] != '\n')
		return error_set(err, ERR_FORMAT, "the list was cut: its last line has no end");
	rc = read_head(&p, &l, &holds);
	if (rc == 0)
		rc = read_traces(&p, &l, holds);
	if (rc == 0)
		rc = check_manifest(&l, err);
	if (rc < 0) {
		reg_list_done(&l);
		return rc;
	}
	*out = l;
	return 0;
}

void reg_list_done(struct reg_list *l)
{
	arena_done(&l->arena);
	*l = (struct reg_list){0};
}

/* --- lists of paths */

/* The name as sha256sum escapes it, if its line begins with a backslash. */
static bool unescape_sum(char *path)
{
	char *to = path;

	for (; *path; path++) {
		if (*path != '\\') {
			*to++ = *path;
			continue;
		}
		path++;
		if (*path != 'n' && *path != 'r' && *path != '\\')
			return false;
		*to++ = *path == 'n' ? '\n' : *path == 'r' ? '\r' : '\\';
	}
	*to = '\0';
	return true;
}

static int take_named(struct sv line, uint64_t number, struct arena *a, struct reg_named *out,
		      struct error *err)
{
	bool escaped = line.p[0] == '\\';
	struct sv sum = sv_drop(line, escaped);
	bool has_sum = sum.n > REG_HEX + 2 && is_hash(sv_make(sum.p, REG_HEX)) &&
		       sum.p[REG_HEX] == ' ' &&
		       (sum.p[REG_HEX + 1] == ' ' || sum.p[REG_HEX + 1] == '*');
	char *path;

	out->sha256[0] = '\0';
	if (has_sum) {
		take_hash(out->sha256, sum);
		line = sv_drop(sum, REG_HEX + 2);
	}
	if (line.n > REG_PATH_MAX || memchr(line.p, '\0', line.n))
		return error_set(err, ERR_FORMAT, "line %llu: that is no path",
				 (unsigned long long)number);
	path = arena_strndup(a, line.p, line.n);
	if (!path)
		return error_nomem(err);
	if (has_sum && escaped && !unescape_sum(path))
		return error_set(err, ERR_FORMAT,
				 "line %llu: a name as sha256sum does not write it",
				 (unsigned long long)number);
	out->path = path;
	return 1;
}

int reg_paths_next(struct sv *rest, uint64_t *line, struct arena *a, struct reg_named *out,
		   struct error *err)
{
	struct sv text;

	while (next_line(rest, &text)) {
		++*line;
		if (text.n && text.p[0] != '#')
			return take_named(text, *line, a, out, err);
	}
	return 0;
}
