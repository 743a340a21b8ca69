/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small machine and a few events on it, for tests that evaluate conditions:
 * systemd(1) > sshd(50) > bash(100) > cat(101); cat has a file, two IP connections and a listening
 * socket open.
 */
#ifndef ENGINE_FILTER_TESTS_SCENE_H
#define ENGINE_FILTER_TESTS_SCENE_H

#include <stdlib.h>

#include "engine/filter/filter.h"

#define SCENE_START 1700000000000000000u /* of the first event; one second between events */

static const char *const scene_events[] = {
    "openat",  "read-file", "read-tcp", "read-tcp6", "accept",
    "generic", "async",	    "stranger", "kill",	     "mount",
};

struct scene {
	struct ev_source *source;
	struct state *st;
	struct state_binding bind;
	size_t at; /* index of the current event plus 1 */
};

static inline void scene_thread(struct ev_synth *s, int64_t tid, int64_t ptid, const char *comm,
				const char *exe, struct sv args)
{
	struct ev_thread_entry t = {
	    .tid = tid,
	    .pid = tid,
	    .ptid = ptid,
	    .sid = 50,
	    .vpgid = tid,
	    .pgid = tid,
	    .vtid = tid,
	    .vpid = tid,
	    .comm = sv_of(comm),
	    .exe = sv_of(comm),
	    .exepath = sv_of(exe),
	    .cwd = SV_LIT("/home/user/"),
	    .root = SV_LIT("/"),
	    .args = args,
	    .env = SV_LIT("HOME=/home/user\0LANG=C\0"),
	    .cgroups = SV_LIT(""),
	    .fdlimit = 1024,
	    .uid = 1000,
	    .gid = 1000,
	    .loginuid = 1000,
	};
	struct ev_item item = {.kind = EV_ITEM_THREAD, .thread = &t};

	if (ev_synth_add(s, &item) < 0)
		abort();
}

static inline void scene_fd(struct ev_synth *s, int64_t fd, enum ev_fd_type type, const char *name,
			    const char *sip, const char *dip)
{
	struct ev_fd_entry f = {.tid = 101,
				.fd = fd,
				.ino = 7,
				.type = type,
				.name = sv_of(name),
				.openflags = 1,
				.sport = 40000,
				.dport = 443,
				.l4proto = EV_L4_TCP};
	struct ev_item item = {.kind = EV_ITEM_FD, .fd = &f};
	size_t n = type == EV_FD_IPV6_SOCK ? 16 : 4;

	if (type == EV_FD_IPV4_SERVSOCK)
		f.sport = 8080;
	if (sip)
		memcpy(f.sip, sip, n);
	if (dip)
		memcpy(f.dip, dip, n);
	if (ev_synth_add(s, &item) < 0)
		abort();
}

static inline void scene_metadata(struct ev_synth *s)
{
	static const char v6[2][17] = {"\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01",
				       "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"};

	scene_thread(s, 1, 0, "systemd", "/sbin/init", SV_LIT(""));
	scene_thread(s, 50, 1, "sshd", "/usr/sbin/sshd", SV_LIT("-D\0"));
	scene_thread(s, 100, 50, "bash", "/bin/bash", SV_LIT("-i\0"));
	scene_thread(s, 101, 100, "cat", "/bin/cat", SV_LIT("-n\0-t\0hello\0/etc/passwd\0"));
	scene_fd(s, 3, EV_FD_FILE_V2, "/etc/passwd", NULL, NULL);
	scene_fd(s, 4, EV_FD_IPV4_SOCK, "10.0.0.5:40000->93.184.216.34:443", "\x0a\0\0\x05",
		 "\x5d\xb8\xd8\x22");
	scene_fd(s, 5, EV_FD_IPV6_SOCK, "", v6[0], v6[1]);
	scene_fd(s, 6, EV_FD_IPV4_SERVSOCK, "", "\0\0\0\0", NULL);
}

static inline void scene_read(struct ev_synth *s, int64_t fd, const void *data, size_t n)
{
	ev_synth_int(s, (int64_t)n);
	ev_synth_bytes(s, data, n);
	ev_synth_int(s, fd);
	ev_synth_int(s, 4096);
}

static inline void scene_openat(struct ev_synth *s)
{
	ev_synth_int(s, 7);
	ev_synth_int(s, EV_FD_CWD);
	ev_synth_str(s, "notes/../Today.LOG");
	ev_synth_int(s, 0x4003);
	ev_synth_int(s, 0644);
	ev_synth_int(s, 0);
	ev_synth_int(s, 99);
}

/* The parameters of event @i of scene_events. */
static inline unsigned scene_begin(struct ev_synth *s, size_t i)
{
	static const uint16_t types[] = {
	    EV_OPENAT_2_X, EV_READ_X,	    EV_READ_X,	   EV_READ_X, EV_READ_X,
	    EV_GENERIC_X,  EV_ASYNCEVENT_E, EV_OPENAT_2_X, EV_KILL_X, EV_MOUNT_X};

	ev_synth_begin(s, types[i], SCENE_START + i * 1000000000u,
		       i == 6	? 9999
		       : i == 7 ? 4242
				: 101);
	return types[i];
}

static inline void scene_event(struct ev_synth *s, size_t i)
{
	scene_begin(s, i);
	switch (i) {
	case 0:
	case 7:
		scene_openat(s);
		break;
	case 1:
		scene_read(s, 3, "root:x\0\xff", 8);
		break;
	case 2:
		scene_read(s, 4, "GET / HTTP", 10);
		break;
	case 3:
		scene_read(s, 5, "", 0);
		break;
	case 4:
		scene_read(s, 6, "x", 1);
		break;
	case 5:
		ev_synth_int(s, 1); /* restart_syscall */
		ev_synth_int(s, 219);
		break;
	case 6:
		ev_synth_int(s, 0);
		ev_synth_str(s, "container_removed");
		ev_synth_bytes(s, "{}", 3);
		break;
	case 8:
		ev_synth_int(s, -3);
		ev_synth_int(s, 12345);
		ev_synth_int(s, 9);
		break;
	default: /* in other events, dev and type are numbers */
		ev_synth_int(s, 0);
		ev_synth_str(s, "5");
		ev_synth_str(s, "/mnt");
		ev_synth_str(s, "tmpfs");
		ev_synth_int(s, 0);
		break;
	}
	if (ev_synth_end(s) < 0)
		abort();
}

static inline void scene_open(struct scene *sc)
{
	struct ev_synth *s = ev_synth_new();

	if (!s)
		abort();
	scene_metadata(s);
	for (size_t i = 0; i < COUNT_OF(scene_events); i++)
		scene_event(s, i);
	*sc = (struct scene){.source = ev_synth_source(s)};
	if (state_new(NULL, &sc->st, NULL) < 0)
		abort();
}

static inline void scene_close(struct scene *sc)
{
	ev_source_close(sc->source);
	state_free(sc->st);
}

/* Go to the next event. Return: its name, or NULL after the last. */
static inline const char *scene_next(struct scene *sc)
{
	struct ev_item item;

	while (ev_source_next(sc->source, &item, NULL) == 1)
		if (state_feed(sc->st, &item, &sc->bind, NULL) == 1)
			return scene_events[sc->at++];
	return NULL;
}

#endif
