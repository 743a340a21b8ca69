/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this folder: the records behind the tracker of sockets. */
#ifndef ENGINE_ACTIVITY_INTERNAL_H
#define ENGINE_ACTIVITY_INTERNAL_H

#include "engine/activity/ends.h"
#include "engine/activity/texts.h"

#define ACT_PORTLESS_MAX                                                                           \
	16 /* listeners whose port is still to be learned from what they accept                    \
	    */
#define ACT_MARK_IGNORED UINT32_MAX /* a socket there was no room for */
#define ACT_NEAR	 64	    /* sockets found without looking into the map */
#define ACT_PROBES	 8	    /* places a conversation is looked for at */

struct act_sock;

struct act_record {	     /* a connection, listener or conversation */
	struct act_conn pub; /* first member; @pub.state is that of the last settling */
	enum act_net_state state;
	struct act_sock *sock;
	struct act_record *next; /* further conversations of the socket */
	uint64_t key;		 /* of a conversation in act_net.talks; 0: not in there */
	uint64_t ip_id;		 /* its number when UNIX sockets are not counted; 0: it is one */
	bool gone;		 /* about to be forgotten */
};

struct act_sock {
	uint32_t mark;
	bool stream;
	bool held;		  /* a descriptor leads to it; while a checkpoint is made */
	struct act_record *main;  /* connection, listener, or the address bound to */
	struct act_record *talks; /* conversations over a datagram socket */
	uint64_t end_ts;	  /* last time a descriptor of it was closed */
	struct act_holder holders[ACT_HOLDERS_MAX];
	uint32_t holder_count;
};

struct act_net {
	struct act_net_options opt;
	struct act_net_stats stats;
	struct pool pool;
	struct act_texts texts;
	struct map socks;		 /* mark -> struct act_sock */
	struct act_sock *near[ACT_NEAR]; /* some of them, by the low bits of their marks */
	struct map talks;		 /* hash of mark and remote end -> struct act_record */
	struct act_record **list;	 /* by time of appearance */
	size_t count, cap;
	uint64_t next_id, next_ip_id;
	uint32_t next_mark;
	uint32_t refused; /* new ones since room was last made in vain */
	uint64_t last_ts;
	const struct act_sock *pinned; /* not to be freed while room is made for it */
	bool started;		       /* the initial descriptors are taken in */
	uint8_t listening[8192];       /* bit per local TCP port of the initial listeners */
	struct act_record *portless[ACT_PORTLESS_MAX];
	unsigned portless_count;
};

/* Where something happened: @thread and @ev may be NULL (the initial list). */
struct act_place {
	const struct state *st;
	const struct state_thread *thread;
	const struct ev *ev;
};

static inline int64_t act_pid_of(const struct state_thread *t)
{
	return t->pid > 0 ? t->pid : t->tid;
}

/* net_records.c */
struct act_sock *act_sock_find(const struct act_net *n, uint32_t mark);
/* The same for one that will be looked for again. */
struct act_sock *act_sock_recall(struct act_net *n, uint32_t mark);

/* The same, but only if it was looked for lately. */
static inline struct act_sock *act_sock_near(const struct act_net *n, uint32_t mark)
{
	struct act_sock *s = n->near[mark % ACT_NEAR];

	return LIKELY(s && s->mark == mark) ? s : NULL;
}

/* The socket behind @fd, marked on the way; NULL: no room. */
struct act_sock *act_sock_of_fd(struct act_net *n, struct state_fd *fd);
/* No record could be made: unless it has others, @s goes and @fd is ignored from now on. */
void act_sock_give_up(struct act_net *n, struct state_fd *fd, struct act_sock *s);
/* A new record; NULL: no room (counted). */
struct act_record *act_record_new(struct act_net *n, const struct act_place *p,
				  struct act_sock *sock, enum act_family family,
				  enum ev_l4proto proto);
/* The conversation of @sock with @remote, made if need be. */
struct act_record *act_talk(struct act_net *n, const struct act_place *p, struct act_sock *sock,
			    const struct act_ends *ends, const struct act_end *local,
			    const struct act_end *remote, enum ev_l4proto proto,
			    enum act_direction dir);
/* @t, which may be NULL, did something with it at @ts. */
void act_record_use(struct act_net *n, struct act_record *r, const struct state_thread *t,
		    uint64_t ts);
/* A bare one, for what is restored; NULL: out of memory. */
struct act_record *act_record_add(struct act_net *n);
struct act_sock *act_sock_add(struct act_net *n, uint32_t mark);
/* It has no records. */
void act_sock_drop(struct act_net *n, struct act_sock *s);
/* @r is a conversation of @s from now on. */
void act_talk_file(struct act_net *n, struct act_sock *s, struct act_record *r);
/* Those that are marked as gone. */
void act_records_forget_gone(struct act_net *n);
/* What is closed or failed as of act_net_settle(), if it is not to be kept. */
void act_records_forget_closed(struct act_net *n);

/* net_settle.c */
/* Take in the descriptors that are there; @but was made by the event at hand. */
void act_net_start(struct act_net *n, const struct state *st, const struct state_fd *but);
/* No descriptor leads to it any more: it is over. */
void act_record_settle_gone(struct act_record *r);

#endif
