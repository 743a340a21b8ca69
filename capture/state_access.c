/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May a process write to its executable? The kernel's rules, applied to what /proc says of the
 * process, instead of taking on its identity and trying.
 */
#include "capture/state_internal.h"

#include <linux/capability.h>
#include <linux/stat.h>

static bool has_cap(const struct host_access *who, unsigned cap)
{
	return who->cap_effective >> cap & 1;
}

static bool in_groups(const struct host_access *who, uint32_t gid)
{
	struct sv rest = who->groups;

	if (who->fsgid == gid)
		return true;
	for (struct sv f = host_take_field(&rest); f.n; f = host_take_field(&rest))
		if (host_u64(f, 10, UINT64_MAX) == gid)
			return true;
	return false;
}

/* Has @id a number in the user namespace of the process? "0 100000 65536": inside, outside, count.
 */
static bool is_mapped(struct host_run *run, int dir, const char *name, uint32_t id)
{
	ssize_t n = host_read_file(dir, name, run->text, HOST_RUN_TEXT);
	struct sv rest;

	if (n < 0)
		return true;
	rest = sv_make(run->text, (size_t)n);
	while (rest.n) {
		struct sv line = host_take_line(&rest);
		uint64_t first, count;

		host_take_field(&line);
		first = host_u64(host_take_field(&line), 10, 0);
		count = host_u64(host_take_field(&line), 10, 0);
		if (id >= first && id - first < count)
			return true;
	}
	return false;
}

static bool is_read_only(struct host_run *run, int dir, const struct statx *file)
{
	struct host_mount mount;

	if (file->stx_attributes & STATX_ATTR_IMMUTABLE)
		return true;
	return file->stx_mask & STATX_MNT_ID && host_mount_of(run, dir, file->stx_mnt_id, &mount) &&
	       mount.read_only;
}

bool host_may_write(struct host_run *run, int dir, const struct statx *file,
		    const struct host_access *who)
{
	if (is_read_only(run, dir, file))
		return false;
	if (who->fsuid == file->stx_uid || file->stx_mode & S_IWOTH)
		return true;
	if (file->stx_mode & S_IWGRP && in_groups(who, file->stx_gid))
		return true;
	if (!has_cap(who, CAP_DAC_OVERRIDE) && !has_cap(who, CAP_FOWNER))
		return false;
	return is_mapped(run, dir, "uid_map", file->stx_uid) &&
	       (has_cap(who, CAP_FOWNER) || is_mapped(run, dir, "gid_map", file->stx_gid));
}
