/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tests/live_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "capture/wire.h"

#include "capture/recorder.skel.h" /* uses the types of wire.h */

#define RING_BYTES (8u << 20)

struct live_source {
	struct rec_recorder *bpf;
	struct ring_buffer *rings[64], *priority;
	struct ring_ctx {
		void (*event)(void *, const uint8_t *, size_t, int);
		void *arg;
		int cpu;
	} ctx[64], priority_ctx;
	struct bpf_link *links[16];
	int cpus, nlinks;
};

enum kind { EXITS, ENTRIES, TRACEPOINTS };

struct program {
	enum kind kind;
	int nr;
	unsigned code, type;
	const char *name;
};

static const struct program programs[] = {
#define EXIT(x86, arm, code, program, type)  {EXITS, x86, code, type, "exit_" #program},
#define ENTRY(x86, arm, code, program, type) {ENTRIES, x86, code, type, "enter_" #program},
#define TRACEPOINT(code, program, type)	     {TRACEPOINTS, -1, code, type, "on_" #program},
#include "capture/exits.def"
};

#define PROGRAMS (sizeof(programs) / sizeof(*programs))
#define ENTER	 "enter:" /* before a name: what is copied at the entry */
#define IA32	 "ia32"	  /* 32-bit calls without an equivalent */

static bool serves(const struct program *p, const char *word)
{
	bool enter = !strncmp(word, ENTER, strlen(ENTER));

	if (enter != (p->kind == ENTRIES))
		return false;
	if (!p->code)
		return !strcmp(word, IA32);
	if (!strcmp(word, "procexit"))
		word = "sched_process_exit";
	return !strcmp(ev_syscall_name(p->code), enter ? word + strlen(ENTER) : word);
}

/* Call @fn for each program that serves a word of @list, and NULL if none does. */
static int each_program(struct live_source *s, const char *list,
			int (*fn)(struct live_source *, const struct program *, const char *))
{
	char word[64];

	while (*list) {
		size_t n = strcspn(list, ",");
		bool found = *list == '+'; /* not a call: see set_constants() */

		snprintf(word, sizeof(word), "%.*s", (int)n, list);
		for (size_t i = 0; i < PROGRAMS; i++) {
			if (!serves(&programs[i], word))
				continue;
			found = true;
			if (fn(s, &programs[i], word))
				return -1;
		}
		if (!found && fn(s, NULL, word))
			return -1;
		list += n + (list[n] == ',');
	}
	return 0;
}

#ifdef __x86_64__
static const bool child_returns = true; /* from clone, through our tracepoint */
#else
static const bool child_returns = false;
#endif

static struct bpf_program *find(struct live_source *s, const char *name)
{
	return bpf_object__find_program_by_name(s->bpf->obj, name);
}

static int autoload(struct live_source *s, const struct program *p, const char *word)
{
	struct bpf_program *bpf = p ? find(s, p->name) : NULL;

	if (!strcmp(word, "task_newtask")) /* the same event from the other hook, for its test */
		bpf = s->bpf->progs.on_newtask;
	else if (bpf == s->bpf->progs.on_newtask && child_returns)
		return 0;
	if (!bpf) {
		if (!p || p->kind != TRACEPOINTS)
			fprintf(stderr, "there is no program for '%s'\n", word);
		return 0;
	}
	bpf_program__set_autoload(bpf, true);
	if (p && p->kind == ENTRIES)
		bpf_program__set_autoload(s->bpf->progs.dispatch_enter, true);
	return 0;
}

static int fill_table(struct live_source *s, const struct program *p, const char *word)
{
	struct bpf_program *bpf = p && p->nr >= 0 ? find(s, p->name) : NULL;
	struct bpf_map *map = p && p->kind == ENTRIES ? s->bpf->maps.entries : s->bpf->maps.exits;
	int fd;

	(void)word;
	if (!bpf)
		return 0;
	fd = bpf_program__fd(bpf);
	return bpf_map_update_elem(bpf_map__fd(map), &p->nr, &fd, 0);
}

/* Programs reached by tail calls only. */
static bool in_table(const char *program)
{
	return !strncmp(program, "exit_", 5) || !strncmp(program, "enter_", 6);
}

static int attach(struct live_source *s)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, s->bpf->obj)
	{
		const char *name = bpf_program__name(p);

		if (!bpf_program__autoload(p) || in_table(name))
			continue;
		if (s->nlinks == 16)
			return -1;
		s->links[s->nlinks] = bpf_program__attach(p);
		if (!s->links[s->nlinks++]) {
			fprintf(stderr, "cannot attach %s: %s\n", name, strerror(errno));
			return -1;
		}
	}
	return 0;
}

static int take(void *arg, void *data, size_t n)
{
	struct ring_ctx *c = arg;

	c->event(c->arg, data, n, c->cpu);
	return 0;
}

/* Of all CPUs: the number follows the record. */
static int take_priority(void *arg, void *data, size_t n)
{
	struct ring_ctx *c = arg;
	uint16_t cpu;

	if (n < sizeof(cpu))
		return 0;
	memcpy(&cpu, (const uint8_t *)data + n - sizeof(cpu), sizeof(cpu));
	c->event(c->arg, data, n - sizeof(cpu), cpu);
	return 0;
}

static int make_rings(struct live_source *s)
{
	for (int cpu = 0; cpu < s->cpus; cpu++) {
		int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, RING_BYTES, NULL);

		if (fd < 0 || bpf_map_update_elem(bpf_map__fd(s->bpf->maps.rings), &cpu, &fd, 0))
			return -1;
		s->ctx[cpu].cpu = cpu;
		s->rings[cpu] = ring_buffer__new(fd, take, &s->ctx[cpu], NULL);
		close(fd);
		if (!s->rings[cpu])
			return -1;
	}
	s->priority = ring_buffer__new(bpf_map__fd(s->bpf->maps.ring_priority), take_priority,
				       &s->priority_ctx, NULL);
	return s->priority ? 0 : -1;
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
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP);
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

static uint64_t boot_ns(void)
{
	struct timespec rt, bt;

	clock_gettime(CLOCK_REALTIME, &rt);
	clock_gettime(CLOCK_BOOTTIME, &bt);
	return (uint64_t)(rt.tv_sec - bt.tv_sec) * 1000000000u + (uint64_t)rt.tv_nsec -
	       (uint64_t)bt.tv_nsec;
}

static void set_constants(struct live_source *s, const char *set)
{
	const char *ports = strstr(set, "+ports:");

	s->bpf->rodata->cfg_boot_ns = boot_ns();
	s->bpf->rodata->cfg_own_tgid = getpid();
	s->bpf->rodata->cfg_dynamic_snaplen = strstr(set, "+dynamic") != NULL;
	if (ports)
		sscanf(ports, "+ports:%hu-%hu", &s->bpf->rodata->cfg_full_ports[0],
		       &s->bpf->rodata->cfg_full_ports[1]);
}

static int load(struct live_source *s, const char *set)
{
	struct bpf_program *p;

	s->cpus = libbpf_num_possible_cpus();
	if (s->cpus > 64)
		s->cpus = 64;
	s->bpf = rec_recorder__open();
	if (!s->bpf)
		return -1;
	bpf_object__for_each_program(p, s->bpf->obj)
	    bpf_program__set_autoload(p, !strcmp(bpf_program__name(p), "dispatch"));
	if (each_program(s, set, autoload))
		return -1;
	set_constants(s, set);
	bpf_map__set_max_entries(s->bpf->maps.rings, (unsigned)s->cpus);
	bpf_map__set_max_entries(s->bpf->maps.scratches, (unsigned)s->cpus);
	bpf_map__set_max_entries(s->bpf->maps.walks, (unsigned)s->cpus);
	if (rec_recorder__load(s->bpf))
		return -1;
	s->bpf->bss->settings.snaplen = 80;
	return make_rings(s) || each_program(s, set, fill_table) || attach(s) ? -1 : 0;
}

int live_source_open(const char *set, struct live_source **out, char *why, size_t room)
{
	struct live_source *s;
	int rc = permitted(why, room);

	if (rc)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -1;
	if (load(s, set)) {
		snprintf(why, room, "loading: %s", strerror(errno));
		live_source_close(s);
		return -1;
	}
	*out = s;
	return 0;
}

void live_source_close(struct live_source *s)
{
	if (!s)
		return;
	for (int cpu = 0; cpu < s->cpus; cpu++)
		ring_buffer__free(s->rings[cpu]);
	ring_buffer__free(s->priority);
	for (int i = 0; i < s->nlinks; i++)
		bpf_link__destroy(s->links[i]);
	rec_recorder__destroy(s->bpf);
	free(s);
}

static int want(struct live_source *s, const struct program *p, const char *word)
{
	struct wire_settings *w = &s->bpf->bss->settings;

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

void live_source_settings(struct live_source *s, uint32_t snaplen, uint32_t shed)
{
	s->bpf->bss->settings.snaplen = snaplen;
	s->bpf->bss->settings.shed = shed;
}

void live_source_nothing(struct live_source *s)
{
	struct wire_settings *w = &s->bpf->bss->settings;

	memset(w->interesting, 0, sizeof(w->interesting));
	memset(w->interesting_entries, 0, sizeof(w->interesting_entries));
	memset(w->interesting_events, 0, sizeof(w->interesting_events));
}

void live_source_drain(struct live_source *s,
		       void (*event)(void *arg, const uint8_t *body, size_t n, int cpu), void *arg)
{
	for (int cpu = 0; cpu < s->cpus; cpu++) {
		s->ctx[cpu].event = event;
		s->ctx[cpu].arg = arg;
		if (ring_buffer__consume(s->rings[cpu]) < 0)
			abort();
	}
	s->priority_ctx.event = event;
	s->priority_ctx.arg = arg;
	if (ring_buffer__consume(s->priority) < 0)
		abort();
}
