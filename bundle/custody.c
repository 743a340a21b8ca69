/* SPDX-License-Identifier: Apache-2.0 */
/* Adding to the custody log. */
#include "bundle/custody.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "bundle/internal.h"
#include "scapfile/files.h"

static const char *const action_names[CUSTODY_ACTION_COUNT] = {
#define X(sym, name, text) name,
    CUSTODY_ACTIONS(X)
#undef X
};

const char *custody_action_name(enum custody_action a)
{
	return action_names[a];
}

bool custody_parse_action(const char *name, enum custody_action *out)
{
	for (int i = 0; i < CUSTODY_ACTION_COUNT; i++) {
		if (strcmp(action_names[i], name) != 0)
			continue;
		*out = (enum custody_action)i;
		return true;
	}
	return false;
}

/* ---- a line ---- */

static void add_text(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, "%s\"%s\":", b->p[b->len - 1] == '{' ? "" : ",", name);
	json_string(b, sv_of(text));
}

static void add_time(struct buf *b, uint64_t ts)
{
	time_t s = (time_t)(ts / 1000000000u);
	char text[32];
	struct tm tm;

	if (!gmtime_r(&s, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
		text[0] = '\0';
	buf_addf(b, ",\"ts\":\"%s.%09" PRIu64 "Z\"", text, ts % 1000000000u);
}

static void add_actor(struct buf *b, const struct custody_entry *e)
{
	struct passwd pw, *found = NULL;
	char room[4096];
	uid_t uid = getuid();

	buf_lit(b, ",\"actor\":{");
	if (getpwuid_r(uid, &pw, room, sizeof(room), &found) == 0 && found)
		add_text(b, "login", found->pw_name);
	buf_addf(b, "%s\"uid\":%lu", b->p[b->len - 1] == '{' ? "" : ",", (unsigned long)uid);
	if (e->name)
		add_text(b, "name", e->name);
	buf_char(b, '}');
}

static void add_files(struct buf *b, const char *name, const struct custody_file *f, size_t n)
{
	if (!n)
		return;
	buf_addf(b, ",\"%s\":[", name);
	for (size_t i = 0; i < n && i < CUSTODY_FILES_MAX; i++) {
		buf_str(b, i ? ",{" : "{");
		add_text(b, "name", f[i].name);
		if (f[i].hashed) {
			buf_addf(b, ",\"size\":%" PRIu64 ",\"sha256\":\"", f[i].size);
			bag_hex(b, f[i].sha256);
			buf_char(b, '"');
		}
		buf_char(b, '}');
	}
	buf_char(b, ']');
	if (n > CUSTODY_FILES_MAX)
		buf_addf(b, ",\"%s_left_out\":%zu", name, n - CUSTODY_FILES_MAX);
}

static void add_argv(struct buf *b, const struct custody_entry *e)
{
	size_t room = CUSTODY_ARGV_MAX;
	int i;

	if (!e->argc)
		return;
	buf_lit(b, ",\"argv\":[");
	for (i = 0; i < e->argc && strlen(e->argv[i]) < room; i++) {
		room -= strlen(e->argv[i]);
		if (i)
			buf_char(b, ',');
		json_string(b, sv_of(e->argv[i]));
	}
	buf_char(b, ']');
	if (i < e->argc)
		buf_addf(b, ",\"arguments_left_out\":%d", e->argc - i);
}

static void write_line(struct buf *b, const struct custody_entry *e,
		       const struct custody_report *before)
{
	struct utsname host;

	buf_addf(b, "{\"custody\":1,\"n\":%" PRIu64, before->lines);
	add_time(b, e->ts);
	add_actor(b, e);
	if (uname(&host) == 0)
		add_text(b, "host", host.nodename);
	add_text(b, "action", custody_action_name(e->action));
	add_files(b, "inputs", e->inputs, e->ninputs);
	add_files(b, "outputs", e->outputs, e->noutputs);
	if (e->tool)
		add_text(b, "tool", e->tool);
	add_argv(b, e);
	if (e->reason)
		add_text(b, "reason", e->reason);
	buf_lit(b, ",\"prev\":\"");
	bag_hex(b, before->last_hash);
	buf_lit(b, "\"}\n");
}

/* ---- the file ---- */

static int open_log(const char *path, struct error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat sb;

	if (fd < 0)
		return error_sys(err, errno, "cannot open the custody log '%s'", path);
	/* Its mode is ours to say where it is new, whatever the umask takes away. */
	if (fstat(fd, &sb) == 0 && sb.st_size == 0 && S_ISREG(sb.st_mode) && sb.st_uid == geteuid())
		(void)fchmod(fd, 0600);
	if (fstat(fd, &sb) < 0 || !S_ISREG(sb.st_mode) || flock(fd, LOCK_EX) < 0) {
		error_set(err, ERR_IO, "the custody log '%s' is no file that can be locked", path);
		close(fd);
		return ERR_IO;
	}
	return fd;
}

static int append(int fd, const char *path, const struct custody_entry *e, struct error *err)
{
	struct custody_report before;
	struct buf b = {0};
	int rc = custody_check(path, NULL, NULL, &before, err);

	if (rc < 0)
		return rc;
	if (before.broken || before.torn)
		return error_set(err, ERR_FORMAT,
				 "the custody log '%s' is not whole, nothing is added: %s", path,
				 before.what);
	write_line(&b, e, &before);
	if (b.failed)
		rc = error_nomem(err);
	else if (b.len > CUSTODY_LINE_MAX)
		rc = error_set(err, ERR_LIMIT, "the entry has more than 64 KiB (CUSTODY_LINE_MAX)");
	else if (sf_file_write(fd, b.p, b.len) != b.len || fsync(fd) < 0)
		rc = error_sys(err, errno, "cannot write the custody log '%s'", path);
	buf_done(&b);
	return rc;
}

int custody_add(const char *path, const struct custody_entry *e, struct error *err)
{
	int fd = open_log(path, err), rc;

	if (fd < 0)
		return fd;
	rc = append(fd, path, e, err);
	close(fd);
	return rc;
}
