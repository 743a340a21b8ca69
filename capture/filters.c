/* SPDX-License-Identifier: Apache-2.0 */
/* What the BPF programs filter by, from the options into their maps. */
#include "capture/internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define TREE_ROUNDS 8 /* processes may be created while they are listed */

static int put(int map, const void *key, const char *what, struct error *err)
{
	uint8_t yes = 1;

	if (bpf_map_update_elem(map, key, &yes, BPF_ANY) < 0)
		return error_sys(err, errno, "cannot filter by %s", what);
	return 0;
}

/* --- processes --- */

static void mark(const struct rec_options *opt, int32_t number, bool there[REC_FILTER_MAX])
{
	for (unsigned i = 0; i < opt->npids; i++)
		there[i] |= opt->pids[i] == number;
}

static int take_found(const struct rec_options *opt, const struct wire_followed *found, size_t n,
		      bool there[REC_FILTER_MAX], struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (found[i].error)
			return error_sys(err, -found[i].error, "cannot filter by processes");
		mark(opt, found[i].number, there);
	}
	return (int)n;
}

/* Reading the list makes its program follow what is new. Return: how many, or ERR_*. */
static int list_processes(const struct rec_options *opt, int lister, bool there[REC_FILTER_MAX],
			  struct error *err)
{
	struct wire_followed found[64];
	int fd = bpf_iter_create(lister), rc = 0, added = 0;
	ssize_t n = 0;

	if (fd < 0)
		return error_sys(err, errno, "cannot list the processes to follow");
	do {
		n = read(fd, found, sizeof(found));
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			rc = error_sys(err, errno, "cannot list the processes to follow");
		else if (n > 0)
			rc = take_found(opt, found, (size_t)n / sizeof(*found), there, err);
		added += rc;
	} while (n != 0 && rc >= 0);
	close(fd);
	return rc < 0 ? rc : added;
}

/* Some kernels show their first process to nobody. */
static int add_hidden(const struct rec_options *opt, int map, struct error *err)
{
	int rc = 0;

	for (unsigned i = 0; i < opt->npids && rc >= 0; i++) {
		uint32_t tgid = (uint32_t)opt->pids[i];

		rc = put(map, &tgid, "processes", err);
	}
	return rc;
}

/* Those there are; the programs, attached already, see to those to come. */
static int follow(const struct rec_options *opt, const struct filter_maps *maps, struct error *err)
{
	bool there[REC_FILTER_MAX] = {0}, first = check_first_pidns();
	int rc = first ? add_hidden(opt, maps->processes, err) : 0;

	for (int round = 0; round < TREE_ROUNDS && rc >= 0; round++) {
		rc = list_processes(opt, maps->lister, there, err);
		if (rc == 0)
			break;
	}
	for (unsigned i = 0; i < opt->npids && rc >= 0 && !first; i++)
		if (!there[i])
			return error_set(err, ERR_USAGE, "there is no process %lld to record",
					 (long long)opt->pids[i]);
	return rc < 0 ? rc : 0;
}

int filters_fill(const struct rec_options *opt, const struct filter_maps *maps, struct error *err)
{
	int rc = 0;

	for (unsigned i = 0; i < opt->ncgroups && rc >= 0; i++)
		rc = put(maps->cgroups, &opt->cgroups[i], "cgroups", err);
	for (unsigned i = 0; i < opt->ncomms && rc >= 0; i++) {
		char comm[sizeof(opt->comms[i])] = {0}; /* the kernel compares all of it */

		memcpy(comm, opt->comms[i], strnlen(opt->comms[i], sizeof(comm) - 1));
		rc = put(maps->comms, comm, "commands", err);
	}
	for (unsigned i = 0; i < opt->nports && rc >= 0; i++)
		rc = put(maps->ports, &opt->ports[i], "ports", err);
	return rc < 0 || !opt->npids ? rc : follow(opt, maps, err);
}
