/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying is most of the work of loading programs, and the kernel does it in the thread that
 * asks. libbpf loads the programs of one object one after the other: so there are two objects of
 * the same file, each with a part of the programs and with the maps of a third, and two threads.
 */
#include "capture/internal.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#define WORTH_IT   32  /* programs: for fewer, reading the kernel's types twice takes longer */
#define FIXED_COST 300 /* of verifying a program, in instructions */
#define NOT_WANTED UINT8_MAX

static bool several_cpus(void)
{
	cpu_set_t cpus;

	return sched_getaffinity(0, sizeof(cpus), &cpus) < 0 || CPU_COUNT(&cpus) > 1;
}

/* Each wanted program goes to the part that has the least to do yet. */
static void divide(struct parts *p, const struct rec_options *opt)
{
	size_t cost[PARTS_MAX] = {0}, at = 0;
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, p->whole)
	{
		bool wanted = program_wanted(opt, bpf_program__name(prog));

		p->part_of[at++] = wanted ? 0 : NOT_WANTED;
		p->programs += wanted;
	}
	p->n = p->programs >= WORTH_IT && several_cpus() ? PARTS_MAX : 1;
	at = 0;
	bpf_object__for_each_program(prog, p->whole)
	{
		uint8_t least = 0;

		for (uint8_t i = 1; i < p->n; i++)
			if (cost[i] < cost[least])
				least = i;
		if (p->part_of[at] != NOT_WANTED) {
			p->part_of[at] = least;
			cost[least] += FIXED_COST + bpf_program__insn_cnt(prog);
		}
		at++;
	}
}

int parts_init(struct parts *p, struct bpf_object *whole, const struct rec_options *opt)
{
	struct bpf_program *prog;
	size_t n = 0;

	*p = (struct parts){.whole = whole};
	bpf_object__for_each_program(prog, whole)
	{
		bpf_program__set_autoload(prog, false);
		n++;
	}
	p->part_of = malloc(n);
	if (!p->part_of)
		return -ENOMEM;
	divide(p, opt);
	return 0;
}

/* --- one part --- */

static void select_programs(const struct part *part)
{
	const struct parts *p = part->parts;
	struct bpf_program *prog;
	size_t at = 0;

	bpf_object__for_each_program(prog, part->obj)
	    bpf_program__set_autoload(prog, p->part_of[at++] == part - p->part);
}

/* The maps of two objects of one file come in the same order. */
static int share_maps(const struct part *part)
{
	struct bpf_map *map, *theirs = NULL;
	int rc;

	bpf_object__for_each_map(map, part->obj)
	{
		theirs = bpf_object__next_map(part->parts->whole, theirs);
		if (!theirs)
			return -EINVAL;
		if (bpf_map__fd(theirs) < 0)
			rc = bpf_map__set_autocreate(map, false);
		else
			rc = bpf_map__reuse_fd(map, bpf_map__fd(theirs));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void *load_part(void *arg)
{
	struct part *part = arg;
	const struct parts *p = part->parts;
	struct bpf_object_open_opts opts = {.sz = sizeof(opts), .btf_custom_path = p->types};

	messages_keep(part->text);
	part->obj = bpf_object__open_mem(p->data, p->size, &opts);
	if (!part->obj) {
		part->rc = -errno;
	} else {
		select_programs(part);
		part->rc = share_maps(part);
		if (part->rc >= 0)
			part->rc = bpf_object__load(part->obj);
	}
	messages_keep(NULL);
	return NULL;
}

/* --- all --- */

static bool start_thread(struct part *part)
{
	sigset_t all, before;
	int sys;

	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	sys = pthread_create(&part->thread, NULL, load_part, part);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return sys == 0;
}

int parts_load(struct parts *p, const void *data, size_t size, const char *types,
	       char text[MESSAGE_MAX])
{
	bool started[PARTS_MAX] = {false};
	int rc = 0;

	p->data = data;
	p->size = size;
	p->types = types;
	for (unsigned i = p->n; i-- > 0;) {
		p->part[i].parts = p;
		started[i] = i > 0 && start_thread(&p->part[i]);
		if (!started[i])
			load_part(&p->part[i]);
	}
	for (unsigned i = 0; i < p->n; i++) {
		if (started[i])
			pthread_join(p->part[i].thread, NULL);
		if (p->part[i].rc < 0 && rc >= 0) {
			rc = p->part[i].rc;
			memcpy(text, p->part[i].text, MESSAGE_MAX);
		}
	}
	return rc;
}

struct bpf_program *parts_find(const struct parts *p, const char *name)
{
	for (unsigned i = 0; i < p->n; i++) {
		struct bpf_program *prog = bpf_object__find_program_by_name(p->part[i].obj, name);

		if (prog && bpf_program__autoload(prog))
			return prog;
	}
	return NULL;
}

void parts_done(struct parts *p)
{
	for (unsigned i = 0; i < p->n; i++)
		bpf_object__close(p->part[i].obj);
	free(p->part_of);
	*p = (struct parts){0};
}
