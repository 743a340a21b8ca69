/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/recall.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME	 "results.db"
#define BUSY_MS		 10000
#define APPLICATION	 0x53634361 /* SQLite's application_id: ours, of this kind; and as text */
#define APPLICATION_TEXT "0x53634361"
#define COMMIT_EVERY	 4096 /* values */
#define READ_STEP	 (1u << 20)
#define SETTLED_S	 2 /* coarser than the clock of any file system that is used for this */
#define KEY_TEXT_MAX	 (1 + 2 * REG_KEY_BYTES)

/* --- findings --- */

void reg_findings_done(struct reg_findings *f)
{
	free(f->items);
	arena_done(&f->arena);
	*f = (struct reg_findings){0};
}

void reg_findings_clear(struct reg_findings *f)
{
	arena_reset(&f->arena);
	f->count = 0;
}

int reg_findings_add(struct reg_findings *f, const struct reg_finding *one, struct error *err)
{
	struct reg_finding own = *one;

	if (f->count >= REG_FINDINGS_MAX)
		return error_set(err, ERR_LIMIT, "more than %u alerts", REG_FINDINGS_MAX);
	if (f->count == f->room) {
		size_t room = f->room ? 2 * f->room : 64;
		struct reg_finding *items = realloc(f->items, room * sizeof(*items));

		if (!items)
			return error_nomem(err);
		f->items = items;
		f->room = room;
	}
	own.message = arena_sv(&f->arena, one->message);
	own.fields = arena_sv(&f->arena, one->fields);
	if (!own.message.p || !own.fields.p)
		return error_nomem(err);
	f->items[f->count++] = own;
	return 0;
}

static int by_event(const void *a, const void *b)
{
	const struct reg_finding *x = a, *y = b;

	if (x->evt != y->evt)
		return x->evt < y->evt ? -1 : 1;
	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

void reg_findings_sort(struct reg_findings *f, bool first)
{
	size_t kept = 0;

	if (f->count)
		qsort(f->items, f->count, sizeof(*f->items), by_event);
	for (size_t i = 0; first && i < f->count; i++)
		if (!kept || f->items[kept - 1].evt != f->items[i].evt)
			f->items[kept++] = f->items[i];
	if (first)
		f->count = kept;
}

static const struct archive_field finding_numbers[] = {
    ARCHIVE_U(struct reg_finding, rule),   ARCHIVE_U(struct reg_finding, evt),
    ARCHIVE_U(struct reg_finding, offset), ARCHIVE_U(struct reg_finding, ts),
    ARCHIVE_I(struct reg_finding, tid),	   ARCHIVE_I(struct reg_finding, pid),
};

static void archive_finding(struct archive *a, struct reg_finding *f)
{
	ARCHIVE_FIELDS(a, f, finding_numbers);
	f->message = archive_text(a, f->message);
	f->fields = archive_text(a, f->fields);
}

void reg_findings_save(const struct reg_findings *f, uint32_t rule, struct buf *out)
{
	struct archive a = archive_to(out);
	uint64_t n = 0;

	for (size_t i = 0; i < f->count; i++)
		n += f->items[i].rule == rule;
	archive_count(&a, n);
	for (size_t i = 0; i < f->count && n; i++)
		if (f->items[i].rule == rule)
			archive_finding(&a, &f->items[i]);
}

static int damaged(struct error *err)
{
	return error_set(err, ERR_FORMAT, "kept results are damaged");
}

int reg_findings_load(struct reg_findings *f, struct sv bytes, uint32_t rule, struct error *err)
{
	struct archive a = archive_from(bytes.p, bytes.n);
	uint64_t n = archive_count(&a, 0);
	int rc = 0;

	for (uint64_t i = 0; i < n && rc == 0; i++) {
		struct reg_finding one = {0};

		archive_finding(&a, &one);
		one.rule = rule;
		rc = a.trouble ? damaged(err) : reg_findings_add(f, &one, err);
	}
	return rc == 0 && (a.trouble || a.in.left) ? damaged(err) : rc;
}

/* --- rows --- */

static void archive_head(struct reg_row *r)
{
	static const struct archive_field numbers[] = {
	    ARCHIVE_U(struct reg_row_head, events),
	    ARCHIVE_U(struct reg_row_head, malformed),
	    ARCHIVE_U(struct reg_row_head, threads_dropped),
	    ARCHIVE_U(struct reg_row_head, fds_dropped),
	};

	r->head.hostname = archive_text(&r->a, r->head.hostname);
	ARCHIVE_FIELDS(&r->a, &r->head, numbers);
}

static void archive_entry(struct archive *a, struct reg_row_entry *e)
{
	archive_bytes(a, e->rule.bytes, sizeof(e->rule.bytes));
	e->day = archive_u64(a, e->day);
	e->findings = archive_text(a, e->findings);
}

struct reg_row reg_row_read(struct sv bytes)
{
	struct reg_row r = {.a = archive_from(bytes.p, bytes.n)};

	archive_head(&r);
	return r;
}

struct reg_row reg_row_write(struct buf *out, const struct reg_row_head *head)
{
	struct reg_row r = {.a = archive_to(out), .head = *head};

	archive_head(&r);
	return r;
}

int reg_row_next(struct reg_row *r, struct reg_row_entry *out, struct error *err)
{
	if (!r->a.trouble && !r->a.in.left)
		return 0;
	archive_entry(&r->a, out);
	return r->a.trouble ? damaged(err) : 1;
}

void reg_row_add(struct reg_row *r, const struct reg_row_entry *e)
{
	struct reg_row_entry copy = *e;

	archive_entry(&r->a, &copy);
}

/* --- keys --- */

bool reg_key_of(struct sv text, struct reg_key *out)
{
	return EVP_Digest(text.p, text.n, out->bytes, NULL, EVP_sha256(), NULL) == 1;
}

/* --- the file --- */

struct reg_recall {
	pthread_mutex_t lock; /* of all below, but while it is opened and closed */
	sqlite3 *db;
	sqlite3_stmt *get, *put;
	char *path;
	unsigned uncommitted;
};

static int fail(struct reg_recall *r, int rc, struct error *err)
{
	int primary = rc & 0xff;

	if (primary == SQLITE_NOMEM)
		return error_nomem(err);
	if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_MISMATCH)
		return error_set(
		    err, ERR_FORMAT,
		    "'%s' is damaged or something else; delete it, and it is made anew", r->path);
	return error_set(err, ERR_IO, "kept results '%s': %s", r->path,
			 r->db ? sqlite3_errmsg(r->db) : sqlite3_errstr(rc));
}

static int execute(struct reg_recall *r, const char *sql, struct error *err)
{
	int rc = sqlite3_exec(r->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fail(r, rc, err);
}

/* A number that a pragma tells. */
static int ask(struct reg_recall *r, const char *pragma, int64_t *out, struct error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(r->db, pragma, -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return rc == SQLITE_ROW ? 0 : fail(r, rc, err);
}

/* Both at one moment: another program may be making the tables. */
static int look_inside(struct reg_recall *r, int64_t *application, int64_t *tables,
		       struct error *err)
{
	int rc = execute(r, "BEGIN", err);

	if (rc == 0)
		rc = ask(r, "PRAGMA application_id", application, err);
	if (rc == 0)
		rc = ask(r, "SELECT count(*) FROM sqlite_master", tables, err);
	return rc < 0 ? rc : execute(r, "COMMIT", err);
}

static int make_tables(struct reg_recall *r, struct error *err)
{
	int64_t application = 0, tables = 0;
	int rc = look_inside(r, &application, &tables, err);

	if (rc < 0 || application == APPLICATION)
		return rc;
	if (tables)
		return fail(r, SQLITE_NOTADB, err);
	return execute(r,
		       "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE;"
		       "CREATE TABLE IF NOT EXISTS kept(id INTEGER PRIMARY KEY,"
		       " key BLOB NOT NULL UNIQUE, day INTEGER NOT NULL, value BLOB NOT NULL);"
		       "PRAGMA application_id = " APPLICATION_TEXT "; COMMIT",
		       err);
}

static int prepare(struct reg_recall *r, const char *sql, sqlite3_stmt **out, struct error *err)
{
	int rc = sqlite3_prepare_v3(r->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);

	return rc == SQLITE_OK ? 0 : fail(r, rc, err);
}

static int open_file(struct reg_recall *r, struct error *err)
{
	int rc = sqlite3_open_v2(r->path, &r->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
				     SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW,
				 NULL);

	if (rc != SQLITE_OK)
		return fail(r, rc, err);
	sqlite3_busy_timeout(r->db, BUSY_MS);
	sqlite3_db_config(r->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(r->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	rc = make_tables(r, err);
	if (rc == 0)
		rc = execute(r, "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY", err);
	if (rc == 0)
		rc = prepare(r, "SELECT value FROM kept WHERE key = ?1", &r->get, err);
	if (rc == 0)
		rc = prepare(r,
			     "INSERT INTO kept(key, day, value) VALUES(?1, ?2, ?3) "
			     "ON CONFLICT(key) DO UPDATE SET day = ?2, value = ?3",
			     &r->put, err);
	return rc;
}

/* Nobody else may write there: what is kept is believed. */
static int make_directory(const char *dir, struct error *err)
{
	struct stat sb;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return error_sys(err, errno, "cannot make '%s'", dir);
	if (stat(dir, &sb) < 0)
		return error_sys(err, errno, "cannot look at '%s'", dir);
	if (sb.st_mode & S_IWOTH)
		return error_set(
		    err, ERR_IO,
		    "'%s' is writable for everybody, and what is kept there would be believed: "
		    "choose another",
		    dir);
	return 0;
}

int reg_recall_open(const char *dir, struct reg_recall **out, struct error *err)
{
	struct reg_recall *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return error_nomem(err);
	pthread_mutex_init(&r->lock, NULL);
	rc = make_directory(dir, err);
	if (rc == 0 && asprintf(&r->path, "%s%s/" FILE_NAME, dir[0] == '/' ? "" : "./", dir) < 0) {
		r->path = NULL;
		rc = error_nomem(err);
	}
	if (rc == 0)
		rc = open_file(r, err);
	if (rc == 0)
		*out = r;
	else
		reg_recall_close(r);
	return rc;
}

static int commit(struct reg_recall *r, struct error *err)
{
	if (!r->uncommitted)
		return 0;
	r->uncommitted = 0;
	return execute(r, "COMMIT", err);
}

/* Over the limit, half of what was made longest ago goes. */
static void trim(struct reg_recall *r)
{
	int64_t pages = 0, size = 0;

	if (ask(r, "PRAGMA page_count", &pages, NULL) < 0 ||
	    ask(r, "PRAGMA page_size", &size, NULL) < 0 ||
	    (uint64_t)pages * (uint64_t)size <= REG_RECALL_MAX)
		return;
	if (execute(r,
		    "DELETE FROM kept WHERE id IN (SELECT id FROM kept ORDER BY day, id "
		    "LIMIT (SELECT count(*) / 2 FROM kept))",
		    NULL) == 0)
		(void)execute(r, "VACUUM", NULL);
}

void reg_recall_close(struct reg_recall *r)
{
	if (!r)
		return;
	if (r->put) {
		if (commit(r, NULL) == 0)
			trim(r);
	}
	sqlite3_finalize(r->get);
	sqlite3_finalize(r->put);
	sqlite3_close(r->db);
	pthread_mutex_destroy(&r->lock);
	free(r->path);
	free(r);
}

/* --- values --- */

static size_t key_text(uint8_t text[KEY_TEXT_MAX], enum reg_recall_kind kind,
		       const struct reg_key *a, const struct reg_key *b)
{
	text[0] = (uint8_t)kind;
	memcpy(text + 1, a->bytes, REG_KEY_BYTES);
	if (b)
		memcpy(text + 1 + REG_KEY_BYTES, b->bytes, REG_KEY_BYTES);
	return 1 + (b ? 2u : 1u) * REG_KEY_BYTES;
}

static int get(struct reg_recall *r, enum reg_recall_kind kind, const struct reg_key *a,
	       const struct reg_key *b, struct buf *out, struct error *err)
{
	uint8_t text[KEY_TEXT_MAX];
	int rc;

	sqlite3_bind_blob(r->get, 1, text, (int)key_text(text, kind, a, b), SQLITE_STATIC);
	rc = sqlite3_step(r->get);
	buf_reset(out);
	if (rc == SQLITE_ROW)
		buf_add(out, sqlite3_column_blob(r->get, 0),
			(size_t)sqlite3_column_bytes(r->get, 0));
	sqlite3_reset(r->get);
	sqlite3_clear_bindings(r->get);
	if (rc == SQLITE_ROW)
		return out->failed ? error_nomem(err) : 1;
	return rc == SQLITE_DONE ? 0 : fail(r, rc, err);
}

int reg_recall_get(struct reg_recall *r, enum reg_recall_kind kind, const struct reg_key *a,
		   const struct reg_key *b, struct buf *out, struct error *err)
{
	int rc;

	pthread_mutex_lock(&r->lock);
	rc = get(r, kind, a, b, out, err);
	pthread_mutex_unlock(&r->lock);
	return rc;
}

static int put(struct reg_recall *r, enum reg_recall_kind kind, const struct reg_key *a,
	       const struct reg_key *b, struct sv value, struct error *err)
{
	uint8_t text[KEY_TEXT_MAX];
	int rc = r->uncommitted ? 0 : execute(r, "BEGIN IMMEDIATE", err);

	if (rc < 0)
		return rc;
	r->uncommitted++;
	sqlite3_bind_blob(r->put, 1, text, (int)key_text(text, kind, a, b), SQLITE_STATIC);
	sqlite3_bind_int64(r->put, 2, (int64_t)(time(NULL) / 86400));
	sqlite3_bind_blob64(r->put, 3, value.n ? value.p : "", value.n, SQLITE_STATIC);
	rc = sqlite3_step(r->put);
	sqlite3_reset(r->put);
	sqlite3_clear_bindings(r->put);
	if (rc != SQLITE_DONE)
		return fail(r, rc, err);
	return r->uncommitted >= COMMIT_EVERY ? commit(r, err) : 0;
}

int reg_recall_put(struct reg_recall *r, enum reg_recall_kind kind, const struct reg_key *a,
		   const struct reg_key *b, struct sv value, struct error *err)
{
	int rc;

	pthread_mutex_lock(&r->lock);
	rc = put(r, kind, a, b, value, err);
	pthread_mutex_unlock(&r->lock);
	return rc;
}

/* --- captures --- */

/* As it is now: whoever writes to it changes the time of the last change, too. */
static bool file_key(const struct stat *sb, struct reg_key *out)
{
	struct buf b = {0};
	bool ok;

	buf_addf(&b, "%llu %llu %lld %lld.%09ld %lld.%09ld", (unsigned long long)sb->st_dev,
		 (unsigned long long)sb->st_ino, (long long)sb->st_size,
		 (long long)sb->st_mtim.tv_sec, sb->st_mtim.tv_nsec, (long long)sb->st_ctim.tv_sec,
		 sb->st_ctim.tv_nsec);
	ok = !b.failed && reg_key_of(buf_view(&b), out);
	buf_done(&b);
	return ok;
}

/* A change a moment later may leave the same times. */
static bool is_settled(const struct stat *sb)
{
	return sb->st_ctim.tv_sec + SETTLED_S < time(NULL);
}

static int hash_file(int fd, const char *path, struct reg_key *out, struct error *err)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t *step = malloc(READ_STEP);
	bool ok = md && step && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;
	ssize_t n = 1;

	while (ok && n) {
		n = read(fd, step, READ_STEP);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			ok = EVP_DigestUpdate(md, step, (size_t)n) == 1;
	}
	ok = ok && n == 0 && EVP_DigestFinal_ex(md, out->bytes, NULL) == 1;
	EVP_MD_CTX_free(md);
	free(step);
	if (ok)
		return 0;
	return n < 0 ? error_sys(err, errno, "cannot read '%s'", path) : error_nomem(err);
}

static int learn(struct reg_recall *r, int fd, const char *path, struct reg_key *out,
		 struct error *err)
{
	struct buf value = {0};
	struct reg_key key;
	struct stat sb;
	int rc;

	if (fstat(fd, &sb) < 0)
		return error_sys(err, errno, "cannot look at '%s'", path);
	if (!S_ISREG(sb.st_mode))
		return error_set(err, ERR_UNSUPPORTED,
				 "'%s' is no regular file: nothing can be kept of it", path);
	rc = file_key(&sb, &key) ? reg_recall_get(r, REG_RECALL_FILE, &key, NULL, &value, err)
				 : error_nomem(err);
	if (rc == 1 && value.len == REG_KEY_BYTES)
		memcpy(out->bytes, value.p, REG_KEY_BYTES);
	else if (rc >= 0) {
		rc = hash_file(fd, path, out, err);
		if (rc == 0 && is_settled(&sb))
			rc = reg_recall_put(r, REG_RECALL_FILE, &key, NULL,
					    sv_make(out->bytes, REG_KEY_BYTES), err);
	}
	buf_done(&value);
	return rc < 0 ? rc : 0;
}

int reg_recall_capture(struct reg_recall *r, const char *path, struct reg_key *out,
		       struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return error_sys(err, errno, "cannot open '%s'", path);
	rc = learn(r, fd, path, out, err);
	close(fd);
	return rc;
}
