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

_Static_assert(WIRE_FOLLOWED == REC_FILTER_MAX, "the programs are told all of them");

#define FOLLOWED_MAX 65536 /* processes at a time */
#define LINKS_MAX    32

struct load {
	struct rec_recorder *bpf; /* the maps */
	struct parts parts;	  /* the programs */
	struct bpf_link *links[LINKS_MAX];
	unsigned cpus, nlinks;
	uint64_t *row;	/* counters of one kind, of all CPUs */
	uint32_t *keys; /* the kernel writes there which ones it read: for drain and caller */
	int model;	/* a ring that shows the kernel what those in the table are like */
	uint64_t ring_bytes;
};

/* --- loading --- */

static struct bpf_map *find_map(const struct load *l, const char *name)
{
	return bpf_object__find_map_by_name(l->bpf->obj, name);
}

static int new_ring(uint64_t size)
{
	struct bpf_map_create_opts opts = {.sz = sizeof(opts), .map_flags = BPF_F_MMAPABLE};

	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "ring", sizeof(uint32_t),
			      (uint32_t)size + WIRE_LANE_EXTRA, 1, &opts);
}

/* As large as is @wanted, or less: many kernels have no values of maps beyond 4 MiB. */
static int new_model(struct load *l, uint64_t wanted)
{
	int fd;

	l->ring_bytes = wanted;
	while ((fd = new_ring(l->ring_bytes)) == -E2BIG && l->ring_bytes > REC_RING_BYTES_MIN)
		l->ring_bytes /= 2;
	return fd;
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
	/* The kernel accepts only rings as large as the one the table was created with. */
	l->model = new_model(l, opt->ring_bytes);
	if (l->model < 0)
		return l->model;
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
	c->cfg_wakeup_bytes = (uint32_t)wakeup_bytes(l->ring_bytes);
	c->cfg_lane_bytes = l->ring_bytes;
	c->cfg_dynamic_snaplen = opt->dynamic_snaplen;
	c->cfg_full_ports[0] = opt->full_ports[0];
	c->cfg_full_ports[1] = opt->full_ports[1];
	c->cfg_only_followed = opt->npids != 0;
	for (unsigned i = 0; i < opt->npids; i++)
		c->cfg_followed[i] = (int32_t)opt->pids[i];
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
		p = parts_find(&l->parts, name);
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
static const char *whole_types(void)
{
	__u32 id;

	if (bpf_btf_get_next_id(0, &id) < 0 && errno == EPERM)
		return "/sys/kernel/btf/vmlinux";
	return NULL;
}

/* What the programs share: loaded before them. */
static int load_maps(struct load *l, const struct rec_options *opt, uint64_t boot_ns)
{
	int rc;

	leave_out_maps(l, opt);
	rc = size_maps(l, opt);
	if (rc < 0)
		return rc;
	set_constants(l, opt, boot_ns);
	return rec_recorder__load(l->bpf);
}

/* @types: a file for the kernel's types that the programs ask for, or -1: all the kernel has. */
static int load_all(struct load *l, const struct rec_options *opt, uint64_t boot_ns, int types,
		    struct error *err)
{
	struct bpf_object_open_opts opts = {.sz = sizeof(opts)};
	char text[MESSAGE_MAX], path[32];
	int rc = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", types);
	opts.btf_custom_path = types >= 0 ? path : whole_types();
	messages_keep(text);
	l->bpf = rec_recorder__open_opts(&opts);
	if (!l->bpf)
		return messages_failed(text, errno, "open", err);
	if (types >= 0)
		rc = types_fill(types, bpf_object__btf(l->bpf->obj));
	if (rc >= 0)
		rc = parts_init(&l->parts, l->bpf->obj, opt);
	if (rc >= 0)
		rc = load_maps(l, opt, boot_ns);
	if (rc >= 0)
		rc = parts_load(&l->parts, l->bpf->skeleton->data, l->bpf->skeleton->data_sz,
				opts.btf_custom_path, text);
	if (rc < 0)
		return messages_failed(text, -rc, "load", err);
	messages_keep(NULL);
	return 0;
}

static void unload(struct load *l)
{
	load_detach(l);
	parts_done(&l->parts);
	rec_recorder__destroy(l->bpf);
	l->bpf = NULL;
	if (l->model >= 0)
		close(l->model);
	l->model = -1;
}

/* With few types if that works, as it is quicker, else with all. */
static int load_somehow(struct load *l, const struct rec_options *opt, uint64_t boot_ns,
			struct error *err)
{
	int types = types_file(), rc = ERR_UNSUPPORTED;
	struct error why = {0};

	if (types >= 0) {
		rc = load_all(l, opt, boot_ns, types, &why);
		close(types);
	}
	if (rc == ERR_UNSUPPORTED) {
		unload(l);
		rc = load_all(l, opt, boot_ns, -1, err);
	} else if (rc < 0 && err) {
		*err = why;
	}
	return rc;
}

static int load_new(struct load **out, struct error *err)
{
	struct load *l = calloc(1, sizeof(*l));
	int cpus = libbpf_num_possible_cpus();

	if (!l)
		return error_nomem(err);
	l->model = -1;
	l->cpus = cpus > 0 ? (unsigned)cpus : 1;
	l->row = calloc((size_t)WIRE_COUNTER_TYPES * l->cpus, sizeof(uint64_t));
	l->keys = calloc(2 * (size_t)COUNTERS, sizeof(uint32_t));
	if (!l->row || !l->keys) {
		load_close(l);
		return error_nomem(err);
	}
	*out = l;
	return 0;
}

int load_open(const struct rec_options *opt, uint64_t boot_ns, struct load **out, struct error *err)
{
	struct load *l = NULL;
	int rc = opt->io_uring ? check_uring(err) : 0;

	if (rc < 0)
		return rc;
	messages_listen();
	rc = load_new(&l, err);
	if (rc < 0)
		return rc;
	rc = load_somehow(l, opt, boot_ns, err);
	if (rc >= 0)
		rc = fill_table(l, opt, false, err);
	if (rc >= 0)
		rc = fill_table(l, opt, true, err);
	if (rc < 0) {
		load_close(l);
		return rc;
	}
	close(l->model);
	l->model = -1;
	*out = l;
	return 0;
}

/* --- attaching --- */

static int keep_link(struct load *l, struct bpf_link *link)
{
	if (!link)
		return -errno;
	if (l->nlinks == LINKS_MAX) {
		bpf_link__destroy(link);
		return -E2BIG;
	}
	l->links[l->nlinks++] = link;
	return 0;
}

static int attach(struct load *l, const char *name)
{
	return keep_link(l, bpf_program__attach(parts_find(&l->parts, name)));
}

static int attach_all(struct load *l)
{
	struct bpf_program *p;
	int rc = 0;

	for (unsigned i = 0; i < l->parts.n; i++) {
		bpf_object__for_each_program(p, l->parts.part[i].obj)
		{
			if (rc >= 0 && bpf_program__autoload(p) &&
			    program_is_attached(bpf_program__name(p)))
				rc = keep_link(l, bpf_program__attach(p));
		}
	}
	return rc;
}

/* A new process is known before its first event, and forgotten after its last. */
static int attach_followers(struct load *l, struct filter_maps *maps)
{
	int rc = attach(l, "follow_newtask");

	if (rc >= 0)
		rc = keep_link(
		    l, bpf_program__attach_iter(parts_find(&l->parts, "follow_tasks"), NULL));
	if (rc >= 0)
		maps->lister = bpf_link__fd(l->links[l->nlinks - 1]);
	return rc;
}

int load_attach(struct load *l, const struct rec_options *opt, struct error *err)
{
	struct filter_maps maps = {.processes = bpf_map__fd(l->bpf->maps.followed),
				   .cgroups = bpf_map__fd(l->bpf->maps.only_cgroups),
				   .comms = bpf_map__fd(l->bpf->maps.only_comms),
				   .ports = bpf_map__fd(l->bpf->maps.only_ports),
				   .lister = -1};
	char text[MESSAGE_MAX];
	int rc;

	messages_listen();
	messages_keep(text);
	rc = opt->npids ? attach_followers(l, &maps) : 0;
	if (rc < 0)
		return messages_failed(text, -rc, "attach", err);
	rc = filters_fill(opt, &maps, err);
	if (rc < 0)
		return rc;
	rc = attach_all(l);
	if (rc >= 0 && opt->npids)
		rc = attach(l, "follow_exit");
	if (rc < 0)
		return messages_failed(text, -rc, "attach", err);
	messages_keep(NULL);
	return 0;
}

void load_detach(struct load *l)
{
	while (l->nlinks > 0)
		bpf_link__destroy(l->links[--l->nlinks]);
}

void load_close(struct load *l)
{
	if (!l)
		return;
	unload(l);
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
	return l->parts.programs;
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

uint64_t load_ring_bytes(const struct load *l)
{
	return l->ring_bytes;
}

int load_ring(struct load *l, int cpu, struct error *err)
{
	int fd, map = bpf_map__fd(l->bpf->maps.rings);

	if (cpu < 0) {
		fd = dup(bpf_map__fd(l->bpf->maps.ring_priority));
		return fd >= 0 ? fd : error_sys(err, errno, "cannot use the ring of all CPUs");
	}
	fd = new_ring(l->ring_bytes);
	if (fd < 0)
		return error_sys(err, -fd, "cannot create a ring buffer of %llu bytes",
				 (unsigned long long)l->ring_bytes);
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
