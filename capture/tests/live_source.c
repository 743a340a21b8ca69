/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder as rec_open() puts it together, but for the first state, and with its settings in
 * the test's hands: they are in memory that a child shares, so it can switch what is recorded
 * without a system call.
 */
#include "capture/tests/live_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "capture/internal.h"
#include "capture/wire.h"

#define WAIT_MS	    20
#define PATIENCE_MS 5000 /* until everything that was seen must have come */

struct live_source {
	struct load *load;
	struct drain drain;
	bool draining;
	uint64_t taken;
};

enum kind { EXITS, ENTRIES, TRACEPOINTS };

struct program {
	enum kind kind;
	int nr;
	unsigned code, type;
};

static const struct program programs[] = {
#define EXIT(x86, arm, code, program, type)  {EXITS, x86, code, type},
#define ENTRY(x86, arm, code, program, type) {ENTRIES, x86, code, type},
#define TRACEPOINT(code, program, type)	     {TRACEPOINTS, -1, code, type},
#include "capture/exits.def"
};

#define PROGRAMS (sizeof(programs) / sizeof(*programs))
#define ENTER	 "enter:"   /* before a name: what is copied at the entry */
#define IA32	 "ia32"	    /* 32-bit calls without an equivalent */
#define ALL	 "all"	    /* system calls */
#define URING	 "io_uring" /* what is submitted through rings; all the time */

static bool serves(const struct program *p, const char *word)
{
	bool enter = !strncmp(word, ENTER, strlen(ENTER));

	if (!strcmp(word, ALL))
		return p->kind == EXITS;
	if (enter != (p->kind == ENTRIES))
		return false;
	if (!p->code)
		return !strcmp(word, IA32);
	if (!strcmp(word, "procexit"))
		word = "sched_process_exit";
	return !strcmp(ev_syscall_name(p->code), enter ? word + strlen(ENTER) : word);
}

/* Call @fn for each program that serves a word of @list, and NULL if none does. */
static int each_program(void *arg, const char *list,
			int (*fn)(void *arg, const struct program *, const char *word))
{
	char word[64];

	while (*list) {
		size_t n = strcspn(list, ",");
		bool found = *list == '+'; /* not a call: see set_options() */

		snprintf(word, sizeof(word), "%.*s", (int)n, list);
		for (size_t i = 0; i < PROGRAMS; i++) {
			if (!serves(&programs[i], word))
				continue;
			found = true;
			if (fn(arg, &programs[i], word))
				return -1;
		}
		if (!found && fn(arg, NULL, word))
			return -1;
		list += n + (list[n] == ',');
	}
	return 0;
}

static int refused(const char *what, char *why, size_t room)
{
	snprintf(why, room, "%s: %s", what, strerror(errno));
	return 1;
}

/* The smallest programs and maps of the kinds needed: what is refused here is not our mistake. */
static int permitted(char *why, size_t room)
{
	const struct bpf_insn nothing[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_prog_load_opts opts = {.sz = sizeof(opts),
					  .expected_attach_type = BPF_TRACE_RAW_TP};
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "may_i", 0, 0, 4096, NULL);

	if (fd < 0)
		return refused("the kernel gives no ring buffer", why, room);
	close(fd);
	fd = libbpf_find_vmlinux_btf_id("sys_exit", BPF_TRACE_RAW_TP);
	if (fd < 0)
		return refused("the kernel has no type information", why, room);
	opts.attach_btf_id = (uint32_t)fd;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "may_i", "GPL", nothing, 2, &opts);
	if (fd < 0)
		return refused("the kernel takes no tracing program", why, room);
	close(fd);
	return 0;
}

/* --- options --- */

/* A 32-bit call without an equivalent counts as one of all that have no event of their own. */
static void add_generic(struct rec_set *set)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		if (programs[i].code && programs[i].type == EV_GENERIC_X)
			rec_set_add(set, programs[i].code);
}

static int add_word(void *arg, const struct program *p, const char *word)
{
	struct rec_options *opt = arg;

	if (!strcmp(word, URING)) {
		opt->io_uring = true;
		return 0;
	}
	if (!p) {
		if (*word != '+')
			fprintf(stderr, "there is no program for '%s'\n", word);
		return 0;
	}
	if (p->kind == ENTRIES)
		opt->entry_copies = true;
	if (p->code)
		rec_set_add(&opt->set, p->code);
	else
		add_generic(&opt->set);
	return 0;
}

static void set_options(struct rec_options *opt, const char *words)
{
	const char *ports = strstr(words, "+ports:");

	rec_options_init(opt);
	memset(&opt->set, 0, sizeof(opt->set));
	opt->exact_set = true;
	opt->first_state = false;
	opt->pids[opt->npids++] = getpid(); /* the tests' children; itself it is left out */
	opt->dynamic_snaplen = strstr(words, "+dynamic") != NULL;
	opt->io_uring = strstr(words, "+uring") != NULL;
	if (ports)
		sscanf(ports, "+ports:%hu-%hu", &opt->full_ports[0], &opt->full_ports[1]);
	each_program(opt, words, add_word);
}

/* --- life --- */

static int start(struct live_source *s, const char *words, struct error *err)
{
	uint64_t boot_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
	struct rec_options opt;
	int rc;

	set_options(&opt, words);
	rc = load_open(&opt, boot_ns, &s->load, err);
	if (rc < 0)
		return rc;
	live_source_nothing(s);
	s->draining = true;
	rc = drain_init(&s->drain, &opt, s->load, boot_ns, NULL, err);
	if (rc >= 0)
		rc = load_attach(s->load, &opt, err);
	return rc < 0 ? rc : drain_start(&s->drain, err);
}

int live_source_open(const char *set, struct live_source **out, char *why, size_t room)
{
	struct error err = {0};
	struct live_source *s;
	int rc = permitted(why, room);

	if (rc)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -1;
	rc = start(s, set, &err);
	if (rc < 0) {
		snprintf(why, room, "%s", err.msg);
		live_source_close(s);
		return rc == ERR_UNSUPPORTED ? 1 : -1; /* by this kernel */
	}
	*out = s;
	return 0;
}

void live_source_close(struct live_source *s)
{
	if (!s)
		return;
	if (s->draining)
		drain_done(&s->drain);
	load_close(s->load);
	free(s);
}

/* --- what is recorded --- */

static int want(void *arg, const struct program *p, const char *word)
{
	struct live_source *s = arg;
	volatile struct wire_settings *w = load_settings(s->load);

	(void)word;
	if (!p)
		return 0;
	if (p->kind == EXITS && p->nr >= 0)
		w->interesting[p->nr / 64] |= 1ull << (p->nr & 63);
	if (p->kind == ENTRIES && p->nr >= 0)
		w->interesting_entries[p->nr / 64] |= 1ull << (p->nr & 63);
	if (p->kind == TRACEPOINTS)
		w->interesting_events[p->type / 64] |= 1ull << (p->type & 63);
	return 0;
}

void live_source_want(struct live_source *s, const char *calls)
{
	each_program(s, calls, want);
}

void live_source_nothing(struct live_source *s)
{
	volatile struct wire_settings *w = load_settings(s->load);

	for (size_t i = 0; i < WIRE_SYSCALLS / 64; i++)
		w->interesting[i] = w->interesting_entries[i] = 0;
	for (size_t i = 0; i < WIRE_EVENT_TYPES / 64; i++)
		w->interesting_events[i] = 0;
}

void live_source_settings(struct live_source *s, uint32_t snaplen, uint32_t shed)
{
	load_settings(s->load)->snaplen = snaplen;
	load_settings(s->load)->shed = shed;
}

/* --- what was recorded --- */

static bool everything_came(const struct live_source *s)
{
	uint64_t lost = 0;

	for (unsigned kind = WIRE_LOST_FULL; kind <= WIRE_SHED; kind++)
		lost += load_total(s->load, kind);
	return load_total(s->load, WIRE_SEEN) == s->taken + lost;
}

void live_source_drain(struct live_source *s,
		       void (*event)(void *arg, const uint8_t *body, size_t n, int cpu), void *arg)
{
	const struct queued *q;

	for (int waited = 0; waited < PATIENCE_MS; waited += WAIT_MS) {
		while (segments_next(&s->drain.queue, &q, 0) == 1) {
			if (q->kind != QUEUED_EVENT)
				continue;
			s->taken++;
			event(arg, q->body, q->len, q->cpu);
		}
		if (everything_came(s))
			return;
		usleep(WAIT_MS * 1000);
	}
	fprintf(stderr, "%llu events were seen, %llu came, lost:",
		(unsigned long long)load_total(s->load, WIRE_SEEN), (unsigned long long)s->taken);
	for (unsigned kind = WIRE_LOST_FULL; kind <= WIRE_SHED; kind++)
		fprintf(stderr, " %llu", (unsigned long long)load_total(s->load, kind));
	fputc('\n', stderr);
	abort();
}
