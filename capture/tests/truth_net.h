/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of calls on sockets share: a network of their own, so that ports are known. */
#ifndef CAPTURE_TESTS_TRUTH_NET_H
#define CAPTURE_TESTS_TRUTH_NET_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "capture/tests/truth_calls.h"

#define CALLS(table) table, sizeof(table) / sizeof(*(table))

/* Ports of 127.0.0.1 and ::1, and as bytes of a parameter. */
#define SERVER_PORT 7001
#define CLIENT_PORT 7002
#define SERVER_	    "\x59\x1b"
#define CLIENT_	    "\x5a\x1b"
#define NO_PORT_    "\0\0"
#define LOOP4_	    "\x7f\0\0\1"
#define ANY4_	    "\0\0\0\0"
#define LOOP6_	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
#define ANY6_	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define MAPPED6_    "\0\0\0\0\0\0\0\0\0\0\xff\xff" /* of IPv4, which follows */
#define IN_	    "\2"
#define IN6_	    "\12"

/* A string literal as a parameter, without the NUL byte of C. */
#define LITERAL(name, text) BYTES(name, text, sizeof(text) - 1)

#define SOCKADDR_IN(host, number)                                                                  \
	{                                                                                          \
		.sin_family = AF_INET, .sin_port = __builtin_bswap16(number),                      \
		.sin_addr.s_addr = __builtin_bswap32(host)                                         \
	}
#define SOCKADDR_IN6_LOOP(number)                                                                  \
	{                                                                                          \
		.sin6_family = AF_INET6, .sin6_port = __builtin_bswap16(number),                   \
		.sin6_addr.s6_addr[15] = 1                                                         \
	}

/* In the child: a network with a loopback device only, and no ports in use. */
void net_enter(void);
/* In the child: a socket, bound if @addr is set, connected if @peer is, as number @fd. */
void net_socket(int fd, int family, int type, const void *addr, socklen_t len, const void *peer,
		socklen_t peer_len);

/*
 * The tuple of a unix socket: family, two kernel addresses, @name with its NUL. Return: the
 * addresses at @ends; what differs fails the test.
 */
void net_unix_tuple(struct live_event *e, const char *name, uint64_t ends[2]);

/* A 32-bit call by a 64-bit process; what it passes must lie below 4 GiB: net_low(). */
long net_ia32(long nr, long a, long b, long c, long d, long e);
/* @n bytes below 4 GiB, zero. */
void *net_low(size_t n);

#endif
