/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first state from a /proc whose files say anything. The input is a list of {file number, u16
 * length, contents}; files that are not in it are empty, links lead to what they are given.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "capture/state.h"

static const char *const files[] = {
    "proc/50/stat",
    "proc/50/status",
    "proc/50/comm",
    "proc/50/cmdline",
    "proc/50/environ",
    "proc/50/cgroup",
    "proc/50/limits",
    "proc/50/loginuid",
    "proc/50/mountinfo",
    "proc/50/uid_map",
    "proc/50/gid_map",
    "proc/50/fdinfo/0",
    "proc/50/net/tcp",
    "proc/50/net/tcp6",
    "proc/50/net/unix",
    "proc/50/net/netlink",
    "proc/1/mountinfo",
    "etc/passwd",
    "etc/group",
    "cg/cgroup.controllers",
    "cg/a/cgroup.controllers",
    "proc/50/task/51/stat",
    "proc/50/task/51/status",
    "proc/sys/kernel/pid_max",
};
static const char *const links[] = {"proc/50/fd/0", "proc/50/fd/1",   "proc/50/exe",
				    "proc/50/cwd",  "proc/50/ns/net", "proc/50/ns/pid",
				    "proc/50/root"};
#define NFILES (sizeof(files) / sizeof(files[0]))
#define NLINKS (sizeof(links) / sizeof(links[0]))

static char root[64];
static int root_fd = -1;

static void make_parents(const char *path)
{
	char part[128];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		mkdirat(root_fd, part, 0700);
	}
}

static void remove_tree(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	if (system(command) != 0)
		fprintf(stderr, "%s is left behind\n", root);
}

static void make_tree(void)
{
	snprintf(root, sizeof(root), "%s/fuzz_host.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(root))
		abort();
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < NFILES; i++)
		make_parents(files[i]);
	for (size_t i = 0; i < NLINKS; i++)
		make_parents(links[i]);
	atexit(remove_tree);
}

static void write_file(const char *path, struct sv contents)
{
	int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || (contents.n && write(fd, contents.p, contents.n) != (ssize_t)contents.n))
		abort();
	close(fd);
}

static void write_link(const char *path, struct sv target)
{
	char text[256];

	/* Only names that lead nowhere: what is read is the link. */
	snprintf(text, sizeof(text), "%.*s", (int)(target.n < 200 ? target.n : 200),
		 target.n ? target.p : "");
	unlinkat(root_fd, path, 0);
	if (text[0] && text[0] != '/' && !strstr(text, "..") && symlinkat(text, root_fd, path) < 0)
		abort();
}

static void check_list(struct sv list)
{
	if (list.n > 4096 || (list.n && list.p[list.n - 1]))
		abort();
}

static void check(struct rec_state *s)
{
	int64_t pid = 0, tid = 0, table = 0, fd = -1;
	struct ev_item item;

	while (rec_state_next(s, &item, NULL)) {
		if (item.kind == EV_ITEM_THREAD) {
			check_list(item.thread->args);
			check_list(item.thread->env);
			check_list(item.thread->cgroups);
			if (item.thread->pid < pid || item.thread->tid == tid)
				abort();
			pid = item.thread->pid;
			tid = item.thread->tid;
		} else if (item.kind == EV_ITEM_FD) {
			if (item.fd->tid < table || (item.fd->tid == table && item.fd->fd <= fd))
				abort();
			table = item.fd->tid;
			fd = item.fd->fd;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cursor c = cursor_of(data, n);
	struct rec_state_reader *reader = NULL;
	struct rec_state_options opt;
	struct rec_state *s = NULL;

	if (root_fd < 0)
		make_tree();
	for (size_t i = 0; i < NFILES; i++)
		write_file(files[i], SV_NONE);
	while (c.left && !c.failed) {
		unsigned which = cursor_u8(&c) % (NFILES + NLINKS);
		struct sv contents = cursor_str16(&c);

		if (which < NFILES)
			write_file(files[which], contents);
		else
			write_link(links[which - NFILES], contents);
	}
	rec_state_options_init(&opt);
	opt.host_root = root;
	opt.iterators = REC_ITERATORS_NEVER;
	if (rec_state_open(&opt, &reader, NULL) == 0 && rec_state_take(reader, &s, NULL) == 0)
		check(s);
	rec_state_free(s);
	rec_state_close(reader);
	return 0;
}
