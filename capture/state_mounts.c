/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts by id, as the descriptors of /proc name them: the device, and whether it can be written.
 */
#include "capture/state_internal.h"

uint32_t host_dev(uint64_t major, uint64_t minor)
{
	return (uint32_t)((minor & 0xff) | major << 8 | (minor & ~0xffull) << 12);
}

static bool has_option(struct sv list, struct sv wanted)
{
	while (list.n) {
		const char *comma = memchr(list.p, ',', list.n);
		size_t n = comma ? (size_t)(comma - list.p) : list.n;

		if (sv_eq(sv_make(list.p, n), wanted))
			return true;
		list = sv_drop(list, n + 1);
	}
	return false;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
static void add_line(struct host_run *run, struct sv line)
{
	struct host_mounts *m = &run->mounts;
	struct sv rest = line, f = host_take_field(&rest);
	uint64_t id, major, minor;
	struct host_mount *mount;

	if (!host_take_u64(&f, 10, &id) || m->by_id.count >= HOST_MOUNTS_MAX ||
	    map_get(&m->by_id, id))
		return;
	host_take_field(&rest);
	f = host_take_field(&rest);
	if (!host_take_u64(&f, 10, &major) || !sv_starts(f, SV_LIT(":")))
		return;
	minor = host_u64(sv_drop(f, 1), 10, 0);
	mount = arena_zalloc(&run->scratch, 1, sizeof(*mount));
	if (!mount || map_put(&m->by_id, id, mount) < 0) {
		run->nomem = true;
		return;
	}
	mount->dev = host_dev(major, minor);
	while (rest.n && !sv_is(host_take_field(&rest), "-"))
		;
	rest = host_skip_fields(rest, 2);
	mount->read_only = has_option(host_take_field(&rest), SV_LIT("ro"));
}

/* Each list once: the mounts a process sees depend on its namespace and its root. */
static bool load(struct host_run *run, int dir)
{
	char root[HOST_PATH_MAX];
	ssize_t n = host_read_link(dir, "root", root, sizeof(root));
	uint64_t space = host_link_number(dir, "ns/mnt");
	uint64_t key = hash_bytes(root, n > 0 ? (size_t)n : 0, space);
	struct sv line;

	if (map_get(&run->mounts.loaded, key))
		return false;
	if (map_put(&run->mounts.loaded, key, run) < 0)
		run->nomem = true;
	if (host_lines_open(run->lines, dir, "mountinfo") < 0)
		return false;
	while (!run->nomem && host_lines_next(run->lines, &line))
		add_line(run, line);
	host_lines_close(run->lines);
	return true;
}

bool host_mount_of(struct host_run *run, int dir, uint64_t id, struct host_mount *out)
{
	const struct host_mount *m = map_get(&run->mounts.by_id, id);

	if (!m && load(run, dir))
		m = map_get(&run->mounts.by_id, id);
	if (m)
		*out = *m;
	return m != NULL;
}

void host_mounts_done(struct host_mounts *m)
{
	map_done(&m->by_id);
	map_done(&m->loaded);
}
