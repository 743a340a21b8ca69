/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tests/truth_net.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/defs.h"

void net_enter(void)
{
	struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;

	LIVE_NEED(!unshare(CLONE_NEWNET));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	LIVE_NEED(fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &r));
	close(fd);
}

void net_socket(int fd, int family, int type, const void *addr, socklen_t len, const void *peer,
		socklen_t peer_len)
{
	int one = 1, s = socket(family, type, 0);

	truth_move_fd(s, fd);
	if (family != AF_UNIX)
		LIVE_NEED(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	if (addr)
		LIVE_NEED(!bind(fd, addr, len));
	if (peer)
		LIVE_NEED(!connect(fd, peer, peer_len));
}

void net_unix_tuple(struct live_event *e, const char *name, uint64_t ends[2])
{
	struct ev_value v = live_value(e, "tuple");
	size_t n = strlen(name) + 1;

	if (v.n != 17 + n)
		live_fail(e, "tuple", "%u bytes instead of %zu", v.n, 17 + n);
	if (v.p[0] != AF_UNIX || memcmp(v.p + 17, name, n) != 0)
		live_fail(e, "tuple", "not family %d with the name '%s'", AF_UNIX, name);
	ends[0] = load_u64(v.p + 1);
	ends[1] = load_u64(v.p + 9);
}

long net_ia32(long nr, long a, long b, long c, long d, long e)
{
	long ret = -ENOSYS;

#ifdef __x86_64__
	register long si __asm__("rsi") = d;
	register long di __asm__("rdi") = e;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "r"(si), "r"(di)
			 : "r8", "r9", "r10", "r11", "memory");
#else
	(void)nr, (void)a, (void)b, (void)c, (void)d, (void)e;
#endif
	return (int)ret;
}

void *net_low(size_t n)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	void *p;

#ifdef MAP_32BIT
	flags |= MAP_32BIT;
#endif
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, flags, -1, 0);
	LIVE_NEED(p != MAP_FAILED);
	return p;
}
