/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/set.h"

#include <assert.h>

/* Tracepoints have codes among those of system calls; some are known by other names, too. */
static const struct {
	const char *name, *code;
} tracepoints[] = {
    {"sched_process_exit", "sched_process_exit"},
    {"procexit", "sched_process_exit"},
    {"sched_switch", "sched_switch"},
    {"switch", "sched_switch"},
    {"page_fault", "page_fault_user"},
    {"page_fault", "page_fault_kernel"},
    {"page_fault_user", "page_fault_user"},
    {"page_fault_kernel", "page_fault_kernel"},
    {"signal_deliver", "signal_deliver"},
    {"signaldeliver", "signal_deliver"},
};

static const struct {
	const char *name;
	enum rec_preset preset;
} presets[] = {
    {"state", REC_SET_STATE}, {"files", REC_SET_FILES}, {"net", REC_SET_NET}, {"all", REC_SET_ALL}};

/* Limits of a process are part of its state, though their events are not marked so. */
#define STATE_TOO "setrlimit,prlimit64,procexit"

/* Calls on paths and files whose events are of another category, or that have no own event. */
#define FILES_TOO                                                                                  \
	"read,write,readv,writev,preadv,pwritev,preadv2,pwritev2,pread64,pwrite64,sendfile,"       \
	"splice,"                                                                                  \
	"mknod,mknodat,truncate,ftruncate,fallocate,fsync,fdatasync,sync_file_range,"              \
	"utime,utimes,utimensat,futimesat,faccessat,faccessat2,fchmodat2,"                         \
	"statx,statfs,fstatfs,readlink,readlinkat,name_to_handle_at,file_getattr,file_setattr,"    \
	"getxattr,lgetxattr,fgetxattr,getxattrat,setxattr,lsetxattr,fsetxattr,setxattrat,"         \
	"listxattr,llistxattr,flistxattr,listxattrat,"                                             \
	"removexattr,lremovexattr,fremovexattr,removexattrat,"                                     \
	"inotify_add_watch,fanotify_mark,pivot_root,move_mount,open_tree,mount_setattr,"           \
	"swapon,swapoff,acct,uselib"

/* Sockets are also read and written like files. */
#define NET_TOO                                                                                    \
	"send,recv,sendto,recvfrom,sendmsg,recvmsg,sendmmsg,recvmmsg,"                             \
	"read,write,readv,writev,sendfile"

#define ALL_TOO "procexit,signal_deliver"

/* Does any machine have it as a system call? */
static bool is_call(unsigned code)
{
	return ev_syscalls[code].x86_64 >= 0 || ev_syscalls[code].aarch64 >= 0;
}

static bool modifies_state(unsigned code)
{
	const struct ev_syscall *call = &ev_syscalls[code];

	return ((ev_table[call->exit_type].flags | ev_table[call->enter_type].flags) &
		EF_MODIFIES_STATE) != 0;
}

static bool is_of(unsigned code, enum ev_category category)
{
	return is_call(code) &&
	       (ev_table[ev_syscalls[code].exit_type].category & EC_LOW_MASK) == category;
}

/* Add or remove everything called @name. Return: false if nothing is. */
static bool change_name(struct rec_set *s, struct sv name, bool add)
{
	bool known = false;

	for (size_t i = 0; i < COUNT_OF(tracepoints); i++)
		if (sv_is(name, tracepoints[i].name) &&
		    strcmp(tracepoints[i].name, tracepoints[i].code) != 0)
			known |= change_name(s, sv_of(tracepoints[i].code), add);
	for (unsigned code = 1; code < EV_SYSCALL_COUNT && code < REC_SET_CODES; code++) {
		if (!sv_is(name, ev_syscalls[code].name))
			continue;
		known = true;
		if (add)
			rec_set_add(s, code);
		else
			rec_set_remove(s, code);
	}
	return known;
}

static void add_category(struct rec_set *s, enum ev_category category)
{
	for (unsigned code = 1; code < EV_SYSCALL_COUNT; code++)
		if (is_of(code, category))
			rec_set_add(s, code);
}

void rec_set_add_event(struct rec_set *s, unsigned type)
{
	for (unsigned code = 1; code < EV_SYSCALL_COUNT; code++) {
		const struct ev_syscall *call = &ev_syscalls[code];

		if (call->exit_type == type || call->enter_type == type)
			rec_set_add(s, code);
	}
	if (type == EV_EXECVE_19_X) /* an execveat that succeeds is reported as execve */
		rec_set_add_event(s, EV_EXECVEAT_X);
}

static bool change_word(struct rec_set *s, struct sv word, bool add)
{
	struct rec_set preset = {0};

	if (sv_is(word, "none")) {
		if (add)
			memset(s, 0, sizeof(*s));
		return add;
	}
	for (size_t i = 0; i < COUNT_OF(presets); i++) {
		if (!sv_is(word, presets[i].name))
			continue;
		rec_set_add_preset(&preset, presets[i].preset);
		for (size_t k = 0; k < COUNT_OF(s->bits); k++)
			s->bits[k] =
			    add ? s->bits[k] | preset.bits[k] : s->bits[k] & ~preset.bits[k];
		return true;
	}
	return change_name(s, word, add);
}

static struct sv trimmed(struct sv s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = sv_drop(s, 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

int rec_set_parse(struct rec_set *s, struct sv list, struct error *err)
{
	struct rec_set changed = *s;

	while (list.n) {
		const char *comma = memchr(list.p, ',', list.n);
		size_t n = comma ? (size_t)(comma - list.p) : list.n;
		struct sv word = trimmed(sv_make(list.p, n));
		bool add = !(word.n && word.p[0] == '!');

		list = sv_drop(list, comma ? n + 1 : n);
		if (!add)
			word = sv_drop(word, 1);
		if (!word.n || !change_word(&changed, word, add))
			return error_set(err, ERR_USAGE,
					 "'%.*s' is not a system call, a tracepoint, or one of "
					 "state, files, net, all, none",
					 (int)(word.n < 64 ? word.n : 64), word.n ? word.p : "");
	}
	*s = changed;
	return 0;
}

static void add_list(struct rec_set *s, const char *list)
{
	int rc = rec_set_parse(s, sv_of(list), NULL);

	assert(rc == 0);
	(void)rc;
}

void rec_set_add_preset(struct rec_set *s, enum rec_preset preset)
{
	for (unsigned code = 1; code < EV_SYSCALL_COUNT; code++)
		if (modifies_state(code) || (preset == REC_SET_ALL && is_call(code)))
			rec_set_add(s, code);
	add_list(s, STATE_TOO);
	switch (preset) {
	case REC_SET_STATE:
		break;
	case REC_SET_FILES:
		add_category(s, EC_FILE);
		add_list(s, FILES_TOO);
		break;
	case REC_SET_NET:
		add_category(s, EC_NET);
		add_list(s, NET_TOO);
		break;
	case REC_SET_ALL:
		add_list(s, ALL_TOO);
		break;
	}
}

unsigned rec_set_count(const struct rec_set *s)
{
	unsigned n = 0;

	for (size_t i = 0; i < COUNT_OF(s->bits); i++)
		n += (unsigned)__builtin_popcountll(s->bits[i]);
	return n;
}
