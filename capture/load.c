/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The BPF programs from the skeleton to the hooks: which of them this recording needs, constants,
 * maps as large as this machine wants them, and one entry in the table of system calls for each
 * that is recorded.
 */
#include "capture/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* bpftool's code is not held to our warnings. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Woverlength-strings"
#pragma GCC diagnostic ignored "-Wconversion"
#include "capture/recorder.skel.h"
#pragma GCC diagnostic pop

#define COUNTERS (WIRE_COUNTS * WIRE_COUNTER_TYPES)

struct load {
	struct rec_recorder *bpf;
	unsigned cpus, programs;
	uint64_t *row;	/* counters of one kind, of all CPUs */
	uint32_t *keys; /* the kernel writes there which ones it read: for drain and caller */
	int model;	/* a ring that shows the kernel what those in the table are like */
};

/* --- libbpf's messages --- */

/*
 * libbpf hands its messages to one function of the process, without context: the thread that is
 * loading something looks here for the reason of a failure.
 */
static _Thread_local char *reason;
#define REASON_MAX   400
#define FOLLOWED_MAX 65536 /* processes at a time */

/* The line of the verifier's log that says why: the last before its statistics. */
static void add_verdict(const char *log)
{
	const char *end = strstr(log, "\nprocessed "), *line = end;
	size_t used = strlen(reason), n;

	while (line && line > log && line[-1] != '\n')
		line--;
	n = line ? (size_t)(end - line) : 0;
	if (!n || used + n + 3 > REASON_MAX)
		return;
	memcpy(reason + used, ": ", 2);
	memcpy(reason + used + 2, line, n);
	reason[used + 2 + n] = '\0';
}

PRINTF_LIKE(2, 0)
static int keep_message(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char *text;
	const char *p;

	if (!reason || level != LIBBPF_WARN || vasprintf(&text, fmt, args) < 0)
		return 0;
	p = strncmp(text, "libbpf: ", 8) != 0 ? text : text + 8;
	if (strstr(p, "BEGIN PROG LOAD LOG"))
		add_verdict(p);
	else if (!*reason && strstr(p, "fail"))
		snprintf(reason, REASON_MAX, "%.*s", (int)strcspn(p, "\n"), p);
	free(text);
	return 0;
}

static void listen_to_libbpf(char text[REASON_MAX])
{
	text[0] = '\0';
	libbpf_set_print(keep_message);
	reason = text;
}

static int load_failed(struct error *err, int sys, const char *what, const char *text)
{
	/* EACCES is the verifier's word for a program it does not accept. */
	int code = sys == ENOMEM ? ERR_NOMEM : sys == EPERM ? ERR_PERMISSION : ERR_UNSUPPORTED;

	reason = NULL;
	error_set(err, code, "cannot %s the recorder's BPF programs: %s%s%s", what, strerror(sys),
		  *text ? ": " : "", text);
	return check_explain(code, err);
}

/* --- loading --- */

static void select_programs(struct load *l, const struct rec_options *opt)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, l->bpf->obj)
	{
		const char *name = bpf_program__name(p);
		bool wanted = program_wanted(opt, name);

		bpf_program__set_autoload(p, wanted);
		bpf_program__set_autoattach(p, wanted && program_is_attached(name));
		l->programs += wanted;
	}
}

static struct bpf_map *find_map(const struct load *l, const char *name)
{
	return bpf_object__find_map_by_name(l->bpf->obj, name);
}

static int new_ring(uint64_t size)
{
	return bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, (uint32_t)size, NULL);
}

/* Maps for operations under way take memory and time to make: only for who asks. */
static void leave_out_maps(struct load *l, const struct rec_options *opt)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, l->bpf->obj)
	{
		if (!opt->io_uring && !strncmp(bpf_map__name(map), "uring_", 6))
			bpf_map__set_autocreate(map, false);
	}
}

static int size_maps(struct load *l, const struct rec_options *opt)
{
	static const char *const per_cpu[] = {"rings", "scratches", "walks"};

	for (size_t i = 0; i < COUNT_OF(per_cpu); i++) {
		struct bpf_map *map = find_map(l, per_cpu[i]);

		if (map && bpf_map__set_max_entries(map, l->cpus) < 0)
			return -errno;
	}
	if ((opt->npids && bpf_map__set_max_entries(l->bpf->maps.followed, FOLLOWED_MAX) < 0) ||
	    bpf_map__set_max_entries(l->bpf->maps.only_cgroups, opt->ncgroups + 1) < 0 ||
	    bpf_map__set_max_entries(l->bpf->maps.only_comms, opt->ncomms + 1) < 0 ||
	    bpf_map__set_max_entries(l->bpf->maps.only_ports, opt->nports + 1) < 0)
		return -errno;
	/* Kernels before 5.10 accept only rings as large as the one the table was created with. */
	l->model = new_ring(opt->ring_bytes);
	if (l->model < 0)
		return -errno;
	return bpf_map__set_inner_map_fd(l->bpf->maps.rings, l->model);
}

/* Often enough that a ring is not half full by then. */
static uint64_t wakeup_bytes(uint64_t ring_bytes)
{
	return ring_bytes / 4 < WIRE_WAKEUP_BYTES ? ring_bytes / 4 : WIRE_WAKEUP_BYTES;
}

static void set_constants(struct load *l, const struct rec_options *opt, uint64_t boot_ns)
{
	struct rec_recorder__rodata *c = l->bpf->rodata;

	c->cfg_boot_ns = boot_ns;
	c->cfg_own_tgid = opt->with_self ? 0 : check_own_tgid();
	c->cfg_wakeup_bytes = (uint32_t)wakeup_bytes(opt->ring_bytes);
	c->cfg_dynamic_snaplen = opt->dynamic_snaplen;
	c->cfg_full_ports[0] = opt->full_ports[0];
	c->cfg_full_ports[1] = opt->full_ports[1];
	c->cfg_only_followed = opt->npids != 0;
	c->cfg_only_cgroups = opt->ncgroups != 0;
	c->cfg_only_comms = opt->ncomms != 0;
	c->cfg_only_ports = opt->nports != 0;
	c->cfg_drop_failed = opt->drop_failed;
	c->cfg_uring_cqe = opt->io_uring && check_uring_cqe();
	programs_classify(c->cfg_call_types, c->cfg_io_calls);
	l->bpf->bss->settings.snaplen = opt->snaplen;
	programs_interest(opt, &l->bpf->bss->settings);
}

/* Enter the programs of the calls into a dispatcher's table. */
static int fill_table(struct load *l, const struct rec_options *opt, bool entry, struct error *err)
{
	int map = bpf_map__fd(entry ? l->bpf->maps.entries : l->bpf->maps.exits);

	for (int nr = 0; nr < WIRE_SYSCALLS; nr++) {
		const char *name = program_for(opt, entry, nr);
		const struct bpf_program *p;
		int fd;

		if (!name)
			continue;
		p = bpf_object__find_program_by_name(l->bpf->obj, name);
		fd = p ? bpf_program__fd(p) : -1;
		if (fd < 0 || bpf_map_update_elem(map, &nr, &fd, BPF_ANY) < 0)
			return error_sys(err, fd < 0 ? ENOENT : errno,
					 "cannot enter system call %d into the table", nr);
	}
	return 0;
}

/*
 * For types that this kernel does not have, libbpf also looks at the modules, which takes
 * CAP_SYS_ADMIN; before 1.3 it gives up without. Where it is told which file to look at, it does
 * not.
 */
static struct rec_recorder *open_skeleton(void)
{
	struct bpf_object_open_opts opts = {.sz = sizeof(opts)};
	__u32 id;

	if (bpf_btf_get_next_id(0, &id) < 0 && errno == EPERM)
		opts.btf_custom_path = "/sys/kernel/btf/vmlinux";
	return rec_recorder__open_opts(&opts);
}

int load_open(const struct rec_options *opt, uint64_t boot_ns, struct load **out, struct error *err)
{
	char text[REASON_MAX];
	struct load *l = calloc(1, sizeof(*l));
	int rc, cpus;

	if (!l)
		return error_nomem(err);
	l->model = -1;
	if (opt->io_uring) {
		rc = check_uring(err);
		if (rc < 0)
			goto out;
	}
	listen_to_libbpf(text);
	cpus = libbpf_num_possible_cpus();
	l->cpus = cpus > 0 ? (unsigned)cpus : 1;
	l->row = calloc((size_t)WIRE_COUNTER_TYPES * l->cpus, sizeof(uint64_t));
	l->keys = calloc(2 * (size_t)COUNTERS, sizeof(uint32_t));
	l->bpf = l->row && l->keys ? open_skeleton() : NULL;
	if (!l->bpf) {
		rc = load_failed(err, l->row && l->keys ? errno : ENOMEM, "open", text);
		goto out;
	}
	set_constants(l, opt, boot_ns);
	select_programs(l, opt);
	leave_out_maps(l, opt);
	rc = size_maps(l, opt);
	if (rc >= 0)
		rc = rec_recorder__load(l->bpf);
	if (rc < 0) {
		rc = load_failed(err, -rc, "load", text);
		goto out;
	}
	close(l->model);
	l->model = -1;
	rc = fill_table(l, opt, false, err);
	if (rc >= 0)
		rc = fill_table(l, opt, true, err);
	if (rc < 0)
		goto out;
	*out = l;
	l = NULL;
out:
	reason = NULL;
	load_close(l);
	return rc;
}

int load_attach(struct load *l, const struct rec_options *opt, struct error *err)
{
	struct filter_maps maps = {.processes = bpf_map__fd(l->bpf->maps.followed),
				   .cgroups = bpf_map__fd(l->bpf->maps.only_cgroups),
				   .comms = bpf_map__fd(l->bpf->maps.only_comms),
				   .ports = bpf_map__fd(l->bpf->maps.only_ports)};
	char text[REASON_MAX];
	int rc = 0;

	listen_to_libbpf(text);
	/* A new process is known before its first event, and forgotten after its last. */
	if (opt->npids) {
		l->bpf->links.follow_newtask = bpf_program__attach(l->bpf->progs.follow_newtask);
		if (!l->bpf->links.follow_newtask)
			return load_failed(err, errno, "attach", text);
	}
	rc = filters_fill(opt, &maps, err);
	if (rc < 0)
		return rc;
	rc = rec_recorder__attach(l->bpf);
	if (rc >= 0 && opt->npids) {
		l->bpf->links.follow_exit = bpf_program__attach(l->bpf->progs.follow_exit);
		if (!l->bpf->links.follow_exit)
			rc = -errno;
	}
	if (rc < 0)
		return load_failed(err, -rc, "attach", text);
	reason = NULL;
	return 0;
}

void load_detach(struct load *l)
{
	rec_recorder__detach(l->bpf);
}

void load_close(struct load *l)
{
	if (!l)
		return;
	rec_recorder__destroy(l->bpf);
	if (l->model >= 0)
		close(l->model);
	free(l->row);
	free(l->keys);
	free(l);
}

unsigned load_cpus(const struct load *l)
{
	return l->cpus;
}

unsigned load_programs(const struct load *l)
{
	return l->programs;
}

uint64_t load_priority_bytes(const struct load *l)
{
	return bpf_map__max_entries(l->bpf->maps.ring_priority);
}

volatile struct wire_settings *load_settings(struct load *l)
{
	return &l->bpf->bss->settings;
}

void load_shed(struct load *l, unsigned level)
{
	__atomic_store_n(&l->bpf->bss->settings.shed, level, __ATOMIC_RELAXED);
}

int load_ring(struct load *l, int cpu, uint64_t size, struct error *err)
{
	int fd, map = bpf_map__fd(l->bpf->maps.rings);

	if (cpu < 0) {
		fd = dup(bpf_map__fd(l->bpf->maps.ring_priority));
		return fd >= 0 ? fd : error_sys(err, errno, "cannot use the ring of all CPUs");
	}
	fd = new_ring(size);
	if (fd < 0)
		return error_sys(err, errno, "cannot create a ring buffer of %llu bytes",
				 (unsigned long long)size);
	if (bpf_map_update_elem(map, &cpu, &fd, BPF_ANY) < 0) {
		int sys = errno;

		close(fd);
		return error_sys(err, sys, "cannot use a ring buffer for CPU %d", cpu);
	}
	return fd;
}

/*
 * @n counters from @first on, each with a number for every CPU. In one call where the kernel can do
 * that with counters of CPUs (since 5.13).
 */
static int read_counters(const struct load *l, uint32_t first, uint32_t n, uint32_t *keys,
			 uint64_t *out)
{
	int map = bpf_map__fd(l->bpf->maps.counters);
	uint32_t before = first - 1, at, got = n;

	if (bpf_map_lookup_batch(map, first ? &before : NULL, &at, keys, out, &got, NULL) == 0 ||
	    (errno == ENOENT && got == n))
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t key = first + i;

		if (bpf_map_lookup_elem(map, &key, out + (size_t)i * l->cpus) < 0)
			return -errno;
	}
	return 0;
}

int load_counters(struct load *load, struct losses *l, struct error *err)
{
	int rc = read_counters(load, 0, COUNTERS, load->keys, losses_row(l, WIRE_SEEN, 0));

	return rc < 0 ? error_sys(err, -rc, "cannot read the recorder's counters") : 0;
}

uint64_t load_total(struct load *l, enum wire_count kind)
{
	uint64_t sum = 0;

	if (read_counters(l, kind * WIRE_COUNTER_TYPES, WIRE_COUNTER_TYPES, l->keys + COUNTERS,
			  l->row) < 0)
		return 0;
	for (size_t i = 0; i < (size_t)WIRE_COUNTER_TYPES * l->cpus; i++)
		sum += l->row[i];
	return sum;
}
