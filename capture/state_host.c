/* SPDX-License-Identifier: Apache-2.0 */
/* Machine, interfaces, users and groups. */
#include "capture/state_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RECORD_MAX (1u << 20) /* of one line of a user or group file */

static void read_machine(struct host_run *run)
{
	struct ev_machine *m = &run->s->machine;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), pages = sysconf(_SC_PHYS_PAGES);
	char name[256] = "", max[32];
	ssize_t n = host_read_file(run->proc, "sys/kernel/pid_max", max, sizeof(max));

	if (run->opt->hostname)
		snprintf(name, sizeof(name), "%s", run->opt->hostname);
	else if (gethostname(name, sizeof(name) - 1) < 0)
		name[0] = 0;
	m->num_cpus = cpus > 0 ? (uint32_t)cpus : 1;
	m->memory_bytes = pages > 0 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
	m->max_pid = n > 0 ? host_u64(sv_make(max, (size_t)n), 10, 0) : 0;
	m->hostname = host_keep(run->s, sv_of(name));
	m->boot_ts = run->boot_ns;
}

/* --- interfaces --- */

static void copy_address(uint8_t to[16], const struct sockaddr *a, bool ipv6)
{
	const struct sockaddr_in *v4 = (const void *)a;
	const struct sockaddr_in6 *v6 = (const void *)a;

	if (!a || a->sa_family != (ipv6 ? AF_INET6 : AF_INET))
		return;
	if (ipv6)
		memcpy(to, &v6->sin6_addr, 16);
	else
		memcpy(to, &v4->sin_addr, 4);
}

static int add_address(struct rec_state *s, const struct ifaddrs *a, bool ipv6)
{
	struct ev_interface i = {.ipv6 = ipv6, .name = sv_of(a->ifa_name)};

	if (!a->ifa_addr || a->ifa_addr->sa_family != (ipv6 ? AF_INET6 : AF_INET))
		return 0;
	copy_address(i.addr, a->ifa_addr, ipv6);
	copy_address(i.netmask, a->ifa_netmask, ipv6);
	if (a->ifa_flags & IFF_BROADCAST)
		copy_address(i.bcast, a->ifa_broadaddr, ipv6);
	return host_add_interface(s, &i);
}

static int read_interfaces(struct host_run *run)
{
	struct ifaddrs *all;
	int rc = 0;

	if (getifaddrs(&all) < 0) {
		run->s->stats.incomplete++;
		return 0;
	}
	for (int ipv6 = 0; ipv6 <= 1; ipv6++)
		for (const struct ifaddrs *a = all; a && rc >= 0; a = a->ifa_next)
			rc = add_address(run->s, a, ipv6);
	freeifaddrs(all);
	return rc < 0 ? rc : 0;
}

/* --- users and groups --- */

struct names {	    /* where the next user or group is read from */
	FILE *file; /* NULL: what the name services of this host list */
	char *buf;
	size_t cap;
};

/* A line did not fit, or a signal came: once more? */
static bool again(struct names *n, int rc)
{
	char *bigger;

	if (rc == EINTR)
		return true;
	if (rc != ERANGE || n->cap >= RECORD_MAX)
		return false;
	bigger = realloc(n->buf, n->cap * 2);
	if (!bigger)
		return false;
	n->buf = bigger;
	n->cap *= 2;
	return true;
}

static bool next_user(struct names *n, struct passwd *pw)
{
	struct passwd *got;
	int rc;

	do {
		rc = n->file ? fgetpwent_r(n->file, pw, n->buf, n->cap, &got)
			     : getpwent_r(pw, n->buf, n->cap, &got);
	} while (again(n, rc));
	return rc == 0;
}

static bool next_group(struct names *n, struct group *gr)
{
	struct group *got;
	int rc;

	do {
		rc = n->file ? fgetgrent_r(n->file, gr, n->buf, n->cap, &got)
			     : getgrent_r(gr, n->buf, n->cap, &got);
	} while (again(n, rc));
	return rc == 0;
}

static int read_users(struct host_run *run, struct names *n)
{
	struct passwd pw;
	int rc = 0;

	while (rc >= 0 && run->s->nusers < HOST_USERS_MAX && !host_late(run) && next_user(n, &pw)) {
		struct ev_user u = {.uid = pw.pw_uid,
				    .gid = pw.pw_gid,
				    .name = sv_of(pw.pw_name),
				    .home = sv_of(pw.pw_dir),
				    .shell = sv_of(pw.pw_shell)};

		rc = host_add_user(run->s, &u, false);
	}
	return rc;
}

static int read_groups(struct host_run *run, struct names *n)
{
	struct group gr;
	int rc = 0;

	while (rc >= 0 && run->s->ngroups < HOST_USERS_MAX && !host_late(run) &&
	       next_group(n, &gr)) {
		struct ev_user g = {.gid = gr.gr_gid, .name = sv_of(gr.gr_name)};

		rc = host_add_user(run->s, &g, true);
	}
	return rc;
}

/* Of this host; or of the host whose root was given, whose name services cannot be asked. */
static int read_names(struct host_run *run, bool groups)
{
	bool files = run->opt->host_root && *run->opt->host_root;
	struct names n = {.cap = 4096};
	int fd = -1, rc = 0;

	if (files) {
		fd = openat(run->root, groups ? "etc/group" : "etc/passwd",
			    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		n.file = fd < 0 ? NULL : fdopen(fd, "r");
		if (!n.file) {
			if (fd >= 0)
				close(fd);
			run->s->stats.incomplete++;
			return 0;
		}
	} else if (groups) {
		setgrent();
	} else {
		setpwent();
	}
	n.buf = malloc(n.cap);
	if (!n.buf)
		rc = ERR_NOMEM;
	else
		rc = groups ? read_groups(run, &n) : read_users(run, &n);
	if (n.file)
		fclose(n.file);
	else if (groups)
		endgrent();
	else
		endpwent();
	free(n.buf);
	return rc < 0 ? rc : 0;
}

int host_read_host(struct host_run *run)
{
	uint64_t begin = clock_ns(CLOCK_BOOTTIME);
	int rc;

	read_machine(run);
	rc = read_interfaces(run);
	if (!rc && run->opt->users)
		rc = read_names(run, false);
	if (!rc && run->opt->users)
		rc = read_names(run, true);
	run->s->stats.host_ns = clock_ns(CLOCK_BOOTTIME) - begin;
	return rc;
}
