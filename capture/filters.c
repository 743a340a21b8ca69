/* SPDX-License-Identifier: Apache-2.0 */
/* What the BPF programs filter by, from the options into their maps. */
#include "capture/internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/map.h"

#define TREE_ROUNDS 8 /* processes may be created while they are listed */

static int put(int map, const void *key, const char *what, struct error *err)
{
	uint8_t yes = 1;

	if (bpf_map_update_elem(map, key, &yes, BPF_ANY) < 0)
		return error_sys(err, errno, "cannot filter by %s", what);
	return 0;
}

/* Field 4 of /proc/PID/stat, behind the command's name; 0 if it ended meanwhile. */
static int64_t parent_of(int64_t pid)
{
	char path[64], text[512], *end;
	long long parent;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	end = strrchr(text, ')');
	return end && sscanf(end + 1, " %*c %lld", &parent) == 1 ? parent : 0;
}

/* Add processes whose parent is in @tree already. Return: how many were new, or ERR_NOMEM. */
static int add_children(struct map *tree, int map, struct error *err)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	int added = 0;

	while (dir && added >= 0 && (e = readdir(dir))) {
		int64_t pid = strtoll(e->d_name, NULL, 10);
		uint32_t tgid = (uint32_t)pid;
		int rc;

		if (pid <= 0 || map_get(tree, (uint64_t)pid) ||
		    !map_get(tree, (uint64_t)parent_of(pid)))
			continue;
		rc = put(map, &tgid, "processes", err);
		if (rc >= 0 && map_put(tree, (uint64_t)pid, tree) < 0)
			rc = error_nomem(err);
		added = rc < 0 ? rc : added + 1;
	}
	if (dir)
		closedir(dir);
	return added;
}

/* Those there are; the programs, attached already, see to those to come. */
static int follow(const struct rec_options *opt, int map, struct error *err)
{
	struct map tree = {0};
	int rc = 0;

	for (unsigned i = 0; i < opt->npids && rc >= 0; i++) {
		uint32_t tgid = (uint32_t)opt->pids[i];

		rc = put(map, &tgid, "processes", err);
		if (rc >= 0 && map_put(&tree, (uint64_t)opt->pids[i], &tree) < 0)
			rc = error_nomem(err);
	}
	for (int round = 0; round < TREE_ROUNDS && rc >= 0; round++) {
		rc = add_children(&tree, map, err);
		if (rc == 0)
			break;
	}
	map_done(&tree);
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
	return rc < 0 || !opt->npids ? rc : follow(opt, maps->processes, err);
}
