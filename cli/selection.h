/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to record and how much that may cost, as options say: what record and live have in common.
 * Everything that is wrong is told here.
 */
#ifndef CLI_SELECTION_H
#define CLI_SELECTION_H

#include "capture/recorder.h"
#include "cli/cli.h"

enum { /* ids of the options below */
       OPT_SYSCALLS = OPT_COMMAND_FIRST + 64,
       OPT_DYNAMIC_SNAPLEN,
       OPT_FULL_PORTS,
       OPT_RING_SIZE,
       OPT_MEMORY,
       OPT_MAX_CPU,
       OPT_CGROUP,
       OPT_PID,
       OPT_COMM,
       OPT_PORT,
       OPT_WITH_SELF,
       OPT_ENTRY_COPIES,
       OPT_IO_URING,
       OPT_HASH_EXECS,
};

/* clang-format off */
#define CLI_SELECTION_OPTIONS \
	{OPT_SYSCALLS, "syscalls", "LIST", \
	 "calls, tracepoints and presets (state, files, net, all, none); !NAME removes"}, \
	{'s', "snaplen", "BYTES", "keep so much of what a call moved; default 80"}, \
	{OPT_DYNAMIC_SNAPLEN, "dynamic-snaplen", NULL, "keep more of protocols that are known"}, \
	{OPT_FULL_PORTS, "full-ports", "FROM[-TO]", "keep up to 16000 bytes at these ports"}, \
	{OPT_PID, "pid", "PID", "only this process and its descendants; repeatable"}, \
	{OPT_CGROUP, "cgroup", "PATH|ID", "only this cgroup and those below; repeatable"}, \
	{OPT_COMM, "comm", "NAME", "only commands of this name; repeatable"}, \
	{OPT_PORT, "port", "PORT", "of sockets only those with this port; repeatable"}, \
	{OPT_WITH_SELF, "with-self", NULL, "record this process, too"}, \
	{OPT_ENTRY_COPIES, "entry-copies", NULL, \
	 "copy paths and addresses before the kernel reads them, too"}, \
	{OPT_IO_URING, "io-uring", NULL, "record operations submitted through io_uring"}, \
	{OPT_HASH_EXECS, "hash-execs", NULL, "record the SHA-256 of executed files"}, \
	{OPT_RING_SIZE, "ring-size", "SIZE", "of each CPU's ring buffer; default 8M"}, \
	{OPT_MEMORY, "memory", "SIZE", "events waiting to be written or judged; default 256M"}, \
	{OPT_MAX_CPU, "max-cpu", "PERCENT", "of one CPU for recording; above, less is recorded"}
/* clang-format on */

struct cli_selection {
	struct rec_options rec;
	const char *syscalls; /* NULL: as @for_types, or everything */
	bool for_types;	      /* @types was asked for */
	struct flt_types types;
	unsigned max_cpu; /* percent; 0: no limit */
};

void cli_selection_init(struct cli_selection *s);
/* Take one of CLI_SELECTION_OPTIONS. Return: 0, an exit status, or -1 if it is none of them. */
int cli_selection_take(struct cli_selection *s, int id, const char *value);
/* Record what conditions on these event types need. */
void cli_selection_add_types(struct cli_selection *s, const struct flt_types *types);
/* The same for the enabled rules of @e; tells which rules need calls that come in large numbers. */
void cli_selection_add_rules(struct cli_selection *s, const struct rule_engine *e);
/* After the last option: make the set of system calls. Return: 0 or an exit status. */
int cli_selection_finish(struct cli_selection *s);

#endif
