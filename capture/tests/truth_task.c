/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tests/truth_task.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RSS_SLACK_KIB 4096 /* touched since, 16 pages at a time, or not yet in the counters */

static const char *const controllers[] = {"cpuset", "cpu", "cpuacct", "io", "memory"};

/* exit(0) */
#ifdef __x86_64__
static const unsigned char code[] = {0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05};
#else
static const unsigned char code[] = {0xa8, 0x0b, 0x80, 0xd2, 0, 0, 0x80, 0xd2, 1, 0, 0, 0xd4};
#endif
#define LOAD_ADDRESS 0x400000

int truth_write_program(int fd)
{
	struct {
		Elf64_Ehdr head;
		Elf64_Phdr load;
		unsigned char code[sizeof(code)];
	} program = {
	    .head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				 EV_CURRENT},
		     .e_type = ET_EXEC,
#ifdef __x86_64__
		     .e_machine = EM_X86_64,
#else
		     .e_machine = EM_AARCH64,
#endif
		     .e_version = EV_CURRENT,
		     .e_phoff = sizeof(Elf64_Ehdr),
		     .e_ehsize = sizeof(Elf64_Ehdr),
		     .e_phentsize = sizeof(Elf64_Phdr),
		     .e_phnum = 1},
	    .load = {.p_type = PT_LOAD,
		     .p_flags = PF_R | PF_X,
		     .p_vaddr = LOAD_ADDRESS,
		     .p_filesz = sizeof(program),
		     .p_memsz = sizeof(program),
		     .p_align = 4096},
	};

	program.head.e_entry = LOAD_ADDRESS + (size_t)((char *)program.code - (char *)&program);
	memcpy(program.code, code, sizeof(code));
	LIVE_NEED(write(fd, &program, sizeof(program)) == sizeof(program));
	return fd;
}

void truth_make_program(const char *path, unsigned mode)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0755);

	LIVE_NEED(fd >= 0);
	close(truth_write_program(fd));
	LIVE_NEED(!chmod(path, mode));
}

int64_t truth_status(const char *key, unsigned nth, int base)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[512], *at = NULL;
	int64_t value = -1;

	LIVE_NEED(f);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)))
			continue;
		at = line + strlen(key);
		for (unsigned i = 0; i <= nth; i++) {
			char *end;
			unsigned long long v = strtoull(at, &end, base);

			if (end == at)
				break;
			value = (int64_t)v;
			at = end;
		}
	}
	fclose(f);
	return value;
}

static uint32_t number_in(const char *path)
{
	FILE *f = fopen(path, "r");
	uint32_t v = UINT32_MAX;

	if (!f)
		return v;
	if (fscanf(f, "%u", &v) != 1)
		v = UINT32_MAX;
	fclose(f);
	return v;
}

static uint32_t tty_number(void)
{
	FILE *f = fopen("/proc/self/stat", "r");
	char line[1024], *at;
	int tty = 0;

	LIVE_NEED(f && fgets(line, sizeof(line), f));
	fclose(f);
	at = strrchr(line, ')');
	LIVE_NEED(at && sscanf(at + 1, " %*c %*d %*d %*d %d", &tty) == 1);
	return (uint32_t)tty;
}

/* Does the one-line list of words in @dir/cgroup.controllers have @name? */
static bool enables(const char *dir, const char *name)
{
	char path[5000], line[256] = "";
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/cgroup.controllers", dir);
	f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f))
		for (char *w = strtok(line, " \n"); w; w = strtok(NULL, " \n"))
			found |= !strcmp(w, name);
	if (f)
		fclose(f);
	return found;
}

/* On a unified hierarchy: the nearest group upwards that has the controller. */
static void unified_path(char *path, const char *controller)
{
	char dir[4600];

	while (*path) {
		snprintf(dir, sizeof(dir), "/sys/fs/cgroup%s", path);
		if (enables(dir, controller))
			return;
		*strrchr(path, '/') = 0;
	}
}

static void cgroup_path(char *path, size_t size, const char *controller)
{
	FILE *f = fopen("/proc/self/cgroup", "r");
	char line[4352], list[64], word[64], unified[4352] = "/";
	bool found = false;

	LIVE_NEED(f);
	snprintf(path, size, "/");
	while (fgets(line, sizeof(line), f)) {
		char *names = strchr(line, ':') + 1, *at = strchr(names, ':');

		at[strcspn(at, "\n")] = 0;
		*at++ = 0;
		if (!*names) {
			snprintf(unified, sizeof(unified), "%s", at);
			continue;
		}
		snprintf(list, sizeof(list), ",%s,", names);
		snprintf(word, sizeof(word), ",%s,", controller);
		if (strstr(list, word) || (!strcmp(controller, "io") && strstr(list, ",blkio,"))) {
			snprintf(path, size, "%s", at);
			found = true;
		}
	}
	fclose(f);
	if (!found) {
		if (!strcmp(unified, "/"))
			*unified = 0;
		unified_path(unified, controller);
		snprintf(path, size, "%s", *unified ? unified : "/");
	}
}

static void cgroups(struct truth_task *t)
{
	char path[4400];

	for (size_t i = 0; i < sizeof(controllers) / sizeof(*controllers); i++) {
		size_t room = sizeof(t->cgroups) - t->cgroups_len;
		int n;

		cgroup_path(path, sizeof(path), controllers[i]);
		n = snprintf(t->cgroups + t->cgroups_len, room, "%s=%s", controllers[i], path);
		LIVE_NEED((size_t)n + 1 <= room);
		t->cgroups_len += (uint32_t)n + 1;
	}
}

static unsigned levels(void)
{
	unsigned n = 0;

	while (truth_status("NSpid:", n, 10) != truth_status("NSpid:", n + 1, 10) && n < 8)
		n++;
	return n;
}

void truth_task(struct truth_task *t)
{
	struct rlimit files;

	memset(t, 0, sizeof(*t));
	t->tid = truth_status("Pid:", 0, 10);
	t->pid = truth_status("Tgid:", 0, 10);
	t->ptid = truth_status("PPid:", 0, 10);
	t->pgid = truth_status("NSpgid:", 0, 10);
	t->vtid = truth_status("NSpid:", levels(), 10);
	t->vpid = truth_status("NStgid:", levels(), 10);
	t->vpgid = truth_status("NSpgid:", levels(), 10);
	t->cap_inheritable = (uint64_t)truth_status("CapInh:", 0, 16);
	t->cap_permitted = (uint64_t)truth_status("CapPrm:", 0, 16);
	t->cap_effective = (uint64_t)truth_status("CapEff:", 0, 16);
	t->uid = (uint32_t)geteuid();
	t->gid = (uint32_t)getegid();
	t->tty = tty_number();
	t->loginuid = number_in("/proc/self/loginuid");
	LIVE_NEED(!getrlimit(RLIMIT_NOFILE, &files));
	t->fdlimit = (int64_t)files.rlim_cur;
	LIVE_NEED(!prctl(PR_GET_NAME, t->comm));
	cgroups(t);
	t->vm_kib = truth_status("VmSize:", 0, 10);
	t->rss_kib = truth_status("VmRSS:", 0, 10);
}

void expect_task(struct live_event *e, const struct truth_task *t, bool still)
{
	expect_i64(e, "tid", t->tid);
	expect_i64(e, "pid", t->pid);
	expect_i64(e, "ptid", t->ptid);
	expect_empty(e, "cwd");
	expect_i64(e, "fdlimit", t->fdlimit);
	expect_range(e, "pgft_maj", 0, 100000);
	expect_range(e, "pgft_min", 0, 10000000);
	if (still)
		expect_i64(e, "vm_size", (uint32_t)t->vm_kib);
	else
		expect_range(e, "vm_size", 4, UINT32_MAX);
	expect_range(e, "vm_rss", 0, still ? t->rss_kib + RSS_SLACK_KIB : UINT32_MAX);
	expect_i64(e, "vm_swap", 0);
	expect_str(e, "comm", t->comm);
	expect_bytes(e, "cgroups", t->cgroups, t->cgroups_len);
	expect_i64(e, "uid", t->uid);
	expect_i64(e, "gid", t->gid);
}

void expect_exec_task(struct live_event *e, const struct truth_task *t)
{
	expect_i64(e, "tty", t->tty);
	expect_i64(e, "pgid", t->pgid);
	expect_i64(e, "vpgid", t->vpgid);
	expect_i64(e, "loginuid", t->loginuid);
	expect_i64(e, "cap_inheritable", t->cap_inheritable);
	expect_i64(e, "cap_permitted", t->cap_permitted);
	expect_i64(e, "cap_effective", t->cap_effective);
}
