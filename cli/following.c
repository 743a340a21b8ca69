/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/following.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/saving.h"

#define DIR_PREFIX	  "scapula-live-"
#define DIR_TRIES	  8
#define FRAME_NS	  300000000u	/* what happened is in the file so soon */
#define TELL_NS		  500000000u	/* alerts reach the case, and numbers the screen */
#define SEGMENT_NS	  120000000000u /* segments are short: the last one is indexed again */
#define SEGMENT_BYTES_MAX (64u << 20)	/* and again, while it grows */
#define SEGMENTS_A_WINDOW 16		/* at least: what is dropped is dropped whole */

void cli_following_init(struct cli_following *f, struct cli_rule_run *rules)
{
	*f = (struct cli_following){
	    .rules = rules, .dir_fd = -1, .live = {.window = FOLLOWING_WINDOW_DEFAULT}};
	pthread_mutex_init(&f->lock, NULL);
	cli_recorder_init(&f->recorder);
}

/* --- the directory --- */

static const char *temporary(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir ? dir : "/tmp";
}

/* Remove the directory @name in @at and the files in it; @fd is open on it. */
static void remove_all(int at, const char *name, int fd)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = own >= 0 ? fdopendir(own) : NULL;
	const struct dirent *e;

	if (dir) {
		rewinddir(dir);
		while ((e = readdir(dir)) != NULL)
			if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
				(void)unlinkat(fd, e->d_name, 0);
		closedir(dir);
	} else if (own >= 0) {
		close(own);
	}
	(void)unlinkat(at, name, AT_REMOVEDIR);
}

/* What a program of this user left that was killed: nobody holds the lock of it. */
static void remove_left(void)
{
	DIR *all = opendir(temporary());
	const struct dirent *e;

	while (all && (e = readdir(all)) != NULL) {
		struct stat sb;
		int fd;

		if (strncmp(e->d_name, DIR_PREFIX, strlen(DIR_PREFIX)) != 0)
			continue;
		fd = openat(dirfd(all), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (fstat(fd, &sb) == 0 && sb.st_uid == geteuid() &&
		    flock(fd, LOCK_EX | LOCK_NB) == 0)
			remove_all(dirfd(all), e->d_name, fd);
		close(fd);
	}
	if (all)
		closedir(all);
}

/* Somebody who starts at the same time may take it for one that was left, until it is locked. */
static bool make_one(struct cli_following *f)
{
	struct stat sb;

	buf_reset(&f->dir);
	buf_addf(&f->dir, "%s/" DIR_PREFIX "XXXXXX", temporary());
	if (f->dir.failed || !mkdtemp(f->dir.p))
		return false;
	f->dir_fd = open(buf_cstr(&f->dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir_fd >= 0 && flock(f->dir_fd, LOCK_EX | LOCK_NB) == 0 &&
	    fstat(f->dir_fd, &sb) == 0 && sb.st_nlink)
		return true;
	if (f->dir_fd >= 0)
		close(f->dir_fd);
	f->dir_fd = -1;
	return false;
}

static int make_dir(struct cli_following *f)
{
	char host[256] = "";
	struct buf name = {0};

	remove_left();
	for (unsigned i = 0; i < DIR_TRIES && f->dir_fd < 0; i++)
		if (!make_one(f) && errno != ENOENT && errno != EWOULDBLOCK)
			break;
	if (f->dir_fd < 0) {
		cli_log(CLI_ERROR, "cannot create a directory in '%s': %s", temporary(),
			strerror(errno));
		return CLI_INPUT;
	}
	(void)gethostname(host, sizeof(host) - 1);
	cli_recording_name(&name, host, time(NULL));
	/* Plain: segments are read again and again. */
	buf_addf(&f->path, "%s/%.*s", buf_cstr(&f->dir), (int)(name.len - strlen(".zst")),
		 buf_cstr(&name));
	buf_addf(&f->case_path, "%s/case.db", buf_cstr(&f->dir));
	buf_done(&name);
	if (!f->path.failed && !f->case_path.failed)
		return 0;
	cli_log(CLI_ERROR, "out of memory");
	return CLI_INTERNAL;
}

/* --- the thread --- */

static int next_item(struct ev_source *s, struct ev_item *item, struct error *err)
{
	struct cli_following *f = (struct cli_following *)s;
	int rc = ev_source_next(f->inner, item, err);

	f->goes_on = false;
	if (rc <= 0)
		return rc;
	cli_recorder_item(&f->recorder, item);
	if (item->kind != EV_ITEM_SECTION)
		return 1;
	f->goes_on = true;
	return 0;
}

static const struct ev_source_ops source_ops = {.next = next_item};

static void tell_numbers(struct cli_following *f)
{
	const struct cli_meter *m = &f->recorder.meter;

	pthread_mutex_lock(&f->lock);
	f->state.events = m->events;
	f->state.lost = cli_losses(m->lost);
	pthread_mutex_unlock(&f->lock);
}

/* The next file is begun when the state that it starts with was taken. */
static void heed_cut(struct cli_following *f)
{
	struct cli_recorder *r = &f->recorder;
	struct error err = {0};
	bool cut;

	pthread_mutex_lock(&f->lock);
	cut = f->cut;
	f->cut = false;
	pthread_mutex_unlock(&f->lock);
	if (!cut || !r->writing || r->file.full)
		return;
	if (rec_state_again(r->rec, &err) == 0)
		r->file.full = true;
	else
		r->status = cli_fail(&err);
}

static void idle(void *arg)
{
	struct cli_following *f = arg;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	struct error err = {0};

	cli_recorder_look(&f->recorder);
	heed_cut(f);
	if (!f->recorder.writing)
		rec_stop(f->recorder.rec);
	if (now - f->told < TELL_NS)
		return;
	f->told = now;
	tell_numbers(f);
	if (run_flush(f->rules->r, &err) < 0) {
		f->recorder.status = cli_fail(&err);
		rec_stop(f->recorder.rec);
	}
}

/* Return: the name that the case has of the segment, or NULL. */
static const char *begin_segment(struct cli_following *f)
{
	char *path = strdup(cli_recording_path(&f->recorder.file));
	char **grown;

	pthread_mutex_lock(&f->lock);
	grown = realloc(f->segments, (f->state.segments + 1) * sizeof(*grown));
	if (grown)
		f->segments = grown;
	if (path && grown)
		grown[f->state.segments++] = path;
	pthread_mutex_unlock(&f->lock);
	if (path && grown)
		return strrchr(path, '/') + 1;
	free(path);
	return NULL;
}

static void *follow(void *arg)
{
	struct cli_following *f = arg;
	struct run_capture_report rep;
	struct error err = {0};
	int rc = 0;

	do {
		const char *name = begin_segment(f);

		rc = name ? run_source(f->rules->r, name, &f->source, &rep, &err)
			  : error_nomem(&err);
		tell_numbers(f);
	} while (rc == 0 && f->goes_on);
	if (rc < 0)
		f->recorder.status = cli_fail(&err);
	pthread_mutex_lock(&f->lock);
	f->state.over = true;
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* --- for the interface --- */

static void look(void *arg, struct tui_live_state *out)
{
	struct cli_following *f = arg;

	pthread_mutex_lock(&f->lock);
	*out = f->state;
	pthread_mutex_unlock(&f->lock);
}

static char *path_of(void *arg, size_t i)
{
	struct cli_following *f = arg;
	char *path;

	pthread_mutex_lock(&f->lock);
	path = i < f->state.segments ? strdup(f->segments[i]) : NULL;
	pthread_mutex_unlock(&f->lock);
	return path;
}

static void cut(void *arg)
{
	struct cli_following *f = arg;

	pthread_mutex_lock(&f->lock);
	f->cut = true;
	pthread_mutex_unlock(&f->lock);
}

static int save(void *arg, char **paths, size_t n, const char *out, struct error *err)
{
	const struct cli_following *f = arg;

	return cli_save_window(f->rules->common, paths, n, out, err);
}

/* --- beginning and end --- */

static void prepare(struct cli_following *f)
{
	struct cli_recorder *r = &f->recorder;
	uint64_t bytes = f->live.window / SEGMENTS_A_WINDOW;

	r->file.path = buf_cstr(&f->path);
	r->file.sealing.off = true; /* what is saved gets its own */
	r->file.opt.frame_ns = FRAME_NS;
	r->file.opt.rotation = (struct sf_rotation){
	    .ns = SEGMENT_NS, .bytes = bytes < SEGMENT_BYTES_MAX ? bytes : SEGMENT_BYTES_MAX};
	r->selection.rec.no_new_privs = true;
	f->source.ops = &source_ops;
	f->live.dir = buf_cstr(&f->dir);
	f->live.nameless = !f->rules->db;
	f->live.look = look;
	f->live.path = path_of;
	f->live.cut = cut;
	f->live.save = save;
	f->live.arg = f;
	f->rules->only_case = f->rules->no_rules = true;
	f->rules->no_custody = f->live.nameless;
	if (f->live.nameless)
		f->rules->db = buf_cstr(&f->case_path);
}

static int start(struct cli_following *f)
{
	struct error err = {0};
	int sys;

	f->inner = rec_source(f->recorder.rec, idle, f);
	if (!f->inner)
		return cli_fail((error_nomem(&err), &err));
	sys = pthread_create(&f->thread, NULL, follow, f);
	if (sys)
		return cli_fail((error_sys(&err, sys, "cannot start a thread"), &err));
	f->started = true;
	return 0;
}

int cli_following_begin(struct cli_following *f, int argc, char **argv)
{
	int rc = make_dir(f);

	if (rc)
		return rc;
	prepare(f);
	rc = cli_rule_run_check_case(f->rules, NULL, 0);
	if (!rc)
		rc = cli_rule_run_load(f->rules);
	if (!rc)
		rc = cli_selection_finish(&f->recorder.selection);
	if (!rc)
		rc = cli_rule_run_start(f->rules, argc, argv);
	if (!rc)
		rc = cli_recorder_open(&f->recorder, NULL);
	return rc ? rc : start(f);
}

int cli_following_end(struct cli_following *f)
{
	int status;

	if (f->started) {
		rec_stop(f->recorder.rec);
		pthread_join(f->thread, NULL);
	}
	ev_source_close(f->inner);
	f->inner = NULL;
	status = f->recorder.status;
	if (f->started)
		status = cli_worse(status, cli_recording_close(&f->recorder.file));
	f->started = false;
	cli_recorder_done(&f->recorder);
	return status;
}

void cli_following_done(struct cli_following *f)
{
	if (f->dir_fd >= 0) {
		remove_all(AT_FDCWD, buf_cstr(&f->dir), f->dir_fd);
		close(f->dir_fd);
	}
	for (size_t i = 0; i < f->state.segments; i++)
		free(f->segments[i]);
	free(f->segments);
	buf_done(&f->dir);
	buf_done(&f->path);
	buf_done(&f->case_path);
	pthread_mutex_destroy(&f->lock);
}
