/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shows the first state of this host, or measures it: state_show [--proc|--iterators] [--repeat N]
 * [--pid N] [--quiet] [--processes N --fds N --threads N]: the last three start so many processes
 * with so many descriptors and threads each, and remove them again.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/state.h"
#include "capture/tests/population.h"

static void show_list(const char *name, struct sv list)
{
	printf(" %s=", name);
	for (size_t i = 0; i < list.n && i < 300; i++)
		putchar(list.p[i] < ' ' ? '|' : list.p[i]);
}

static void show_thread(const struct ev_thread_entry *t)
{
	printf("thread %" PRId64 " pid=%" PRId64 " ptid=%" PRId64 " sid=%" PRId64 " pgid=%" PRId64
	       " v=%" PRId64 "/%" PRId64 "/%" PRId64 " flags=%x uid=%u gid=%u login=%u tty=%u\n",
	       t->tid, t->pid, t->ptid, t->sid, t->pgid, t->vtid, t->vpid, t->vpgid, t->flags,
	       t->uid, t->gid, t->loginuid, t->tty);
	show_list("comm", t->comm);
	show_list("exe", t->exe);
	show_list("exepath", t->exepath);
	show_list("args", t->args);
	show_list("cwd", t->cwd);
	show_list("root", t->root);
	show_list("cgroups", t->cgroups);
	show_list("env", sv_make(t->env.p, t->env.n < 60 ? t->env.n : 60));
	printf("\n fdlimit=%" PRId64 " vm=%u/%u/%u pf=%" PRIu64 "/%" PRIu64 " init=%" PRIu64
	       " start=%" PRIu64 " caps=%" PRIx64 "/%" PRIx64 "/%" PRIx64 " exe=%" PRIu64
	       ",%" PRIu64 ",%" PRIu64 " writable=%d upper=%d lower=%d memfd=%d\n",
	       t->fdlimit, t->vmsize_kb, t->vmrss_kb, t->vmswap_kb, t->pfmajor, t->pfminor,
	       t->pidns_init_start_ts, t->clone_ts, t->cap_inheritable, t->cap_permitted,
	       t->cap_effective, t->exe_ino, t->exe_ino_ctime, t->exe_ino_mtime, t->exe_writable,
	       t->exe_upper_layer, t->exe_lower_layer, t->exe_from_memfd);
}

static void show_address(const uint8_t a[16])
{
	for (int i = 0; i < 16; i++)
		printf("%02x", a[i]);
}

static void show_fd(const struct ev_fd_entry *f)
{
	printf("fd %" PRId64 ":%" PRId64 " type=%d ino=%" PRIu64, f->tid, f->fd, f->type, f->ino);
	show_list("name", f->name);
	if (f->type == EV_FD_FILE_V2)
		printf(" flags=%x dev=%x", f->openflags, f->dev);
	if (f->type >= EV_FD_IPV4_SOCK && f->type <= EV_FD_IPV6_SERVSOCK) {
		printf(" l4=%d ", f->l4proto);
		show_address(f->sip);
		printf(":%u ", f->sport);
		show_address(f->dip);
		printf(":%u", f->dport);
	}
	if (f->type == EV_FD_UNIX_SOCK)
		printf(" %" PRIx64 " %" PRIx64, f->unix_source, f->unix_dest);
	putchar('\n');
}

static void show_state(struct rec_state *s)
{
	struct ev_item item;

	while (rec_state_next(s, &item, NULL)) {
		if (item.kind == EV_ITEM_THREAD)
			show_thread(item.thread);
		else if (item.kind == EV_ITEM_FD)
			show_fd(item.fd);
		else if (item.kind == EV_ITEM_MACHINE)
			printf("machine %.*s cpus=%u memory=%" PRIu64 " max_pid=%" PRIu64
			       " boot=%" PRIu64 "\n",
			       (int)item.machine->hostname.n, item.machine->hostname.p,
			       item.machine->num_cpus, item.machine->memory_bytes,
			       item.machine->max_pid, item.machine->boot_ts);
		else if (item.kind == EV_ITEM_INTERFACE)
			printf("interface %.*s %s\n", (int)item.interface->name.n,
			       item.interface->name.p, item.interface->ipv6 ? "v6" : "v4");
		else
			printf("%s %u %u %.*s\n", item.kind == EV_ITEM_USER ? "user" : "group",
			       item.user->uid, item.user->gid, (int)item.user->name.n,
			       item.user->name.p);
	}
}

static void show_stats(const struct rec_state_stats *st)
{
	printf("%" PRIu64 " processes, %" PRIu64 " threads, %" PRIu64 " fds (%" PRIu64
	       " sockets) in %.2f ms: threads %.2f, fds %.2f, host %.2f; %" PRIu64
	       " KiB; from %s\n",
	       st->processes, st->threads, st->fds, st->sockets,
	       (double)(st->end_ns - st->begin_ns) / 1e6, (double)st->threads_ns / 1e6,
	       (double)st->fds_ns / 1e6, (double)st->host_ns / 1e6, st->bytes / 1024,
	       st->threads_from_iterator ? "iterators" : "/proc");
	printf("not in it: %" PRIu64 " kernel threads, %" PRIu64 " zombies, %" PRIu64
	       " vanished, %" PRIu64 " unreadable, fds %" PRIu64 " vanished, %" PRIu64
	       " over the limit; %" PRIu64 " over memory; %" PRIu64 " parts missing%s; %s\n",
	       st->kernel_threads, st->zombies, st->vanished, st->unreadable, st->fds_vanished,
	       st->fds_limit, st->over_memory, st->incomplete, st->timed_out ? ", timed out" : "",
	       st->why_not);
}

static const struct option options[] = {
    {"proc", no_argument, NULL, 'p'},
    {"iterators", no_argument, NULL, 'i'},
    {"repeat", required_argument, NULL, 'r'},
    {"pid", required_argument, NULL, 'n'},
    {"quiet", no_argument, NULL, 'q'},
    {"processes", required_argument, NULL, 'P'},
    {"fds", required_argument, NULL, 'F'},
    {"threads", required_argument, NULL, 'T'},
    {NULL, 0, NULL, 0},
};

struct command {
	struct rec_state_options opt;
	long repeat, pid, processes, fds, threads;
	bool quiet;
};

static bool parse(struct command *cmd, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		long n = optarg ? strtol(optarg, NULL, 10) : 0;

		if (c == 'p')
			cmd->opt.iterators = REC_ITERATORS_NEVER;
		else if (c == 'i')
			cmd->opt.iterators = REC_ITERATORS_ONLY;
		else if (c == 'r')
			cmd->repeat = n;
		else if (c == 'n')
			cmd->pid = n;
		else if (c == 'q')
			cmd->quiet = true;
		else if (c == 'P')
			cmd->processes = n;
		else if (c == 'F')
			cmd->fds = n;
		else if (c == 'T')
			cmd->threads = n;
		else
			return false;
	}
	return true;
}

static int take_states(const struct command *cmd, struct error *err)
{
	struct rec_state_reader *reader = NULL;
	int rc = rec_state_open(&cmd->opt, &reader, err);

	for (long i = 0; !rc && i < cmd->repeat; i++) {
		struct rec_state *s = NULL;

		rc = cmd->pid ? rec_state_take_process(reader, cmd->pid, &s, err)
			      : rec_state_take(reader, &s, err);
		if (rc)
			break;
		if (!cmd->quiet)
			show_state(s);
		show_stats(rec_state_stats(s));
		rec_state_free(s);
	}
	rec_state_close(reader);
	return rc;
}

int main(int argc, char **argv)
{
	struct command cmd = {.repeat = 1};
	struct population crowd = {.door = -1};
	struct error err;
	int rc;

	rec_state_options_init(&cmd.opt);
	if (!parse(&cmd, argc, argv))
		return 2;
	if (cmd.processes > 0) {
		rc = population_start(&crowd, (unsigned)cmd.processes, (unsigned)cmd.fds,
				      (unsigned)cmd.threads);
		if (rc) {
			fprintf(stderr, "the processes could not be started: %s\n", strerror(-rc));
			population_end(&crowd);
			return 1;
		}
	}
	rc = take_states(&cmd, &err);
	if (rc)
		fprintf(stderr, "%s\n", err.msg);
	population_end(&crowd);
	return rc ? 1 : 0;
}
