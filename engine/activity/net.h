/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows sockets through the event stream: connections, listeners, conversations, with the bytes
 * that went each way. A socket is one thing however many processes hold it: descriptors that fork,
 * dup or the initial list made of the same socket count once (struct state_fd.mark tells them).
 * The two ends of a local connection are two sockets.
 * Use: call act_net_event() after each state_feed() that returned 1, act_net_section() where a
 * section starts, act_net_settle() before looking.
 * Units: nanoseconds since the epoch; ports are numbers, addresses network-order bytes.
 * Threads: as the state it follows. One tracker per state: the marks are its own.
 */
#ifndef ENGINE_ACTIVITY_NET_H
#define ENGINE_ACTIVITY_NET_H

#include "base/buf.h"
#include "engine/state/state.h"

#define ACT_CONNS_MAX	200000 /* kept at a time */
#define ACT_SOCKETS_MAX 400000 /* marked sockets known at a time */
#define ACT_CHAIN_MAX	4      /* the process and its nearest ancestors */
#define ACT_HOLDERS_MAX 4      /* descriptors named per socket; the rest is counted */

enum act_net_state {
	ACT_NET_LISTENING,
	ACT_NET_BOUND,	    /* has an address of its own, waits for datagrams */
	ACT_NET_CONNECTING, /* no answer seen yet */
	ACT_NET_ESTABLISHED,
	ACT_NET_OPEN, /* datagrams went to or came from that peer */
	ACT_NET_CLOSED,
	ACT_NET_FAILED, /* see @error */
};

enum act_direction { ACT_DIR_NONE, ACT_DIR_OUT, ACT_DIR_IN };
enum act_family { ACT_UNIX = 1, ACT_IPV4 = 4, ACT_IPV6 = 6 };

struct act_end {
	bool known;
	uint8_t ip[16]; /* IPv4: the first 4 bytes */
	uint16_t port;
};

struct act_who {
	int64_t pid; /* -1: not known */
	struct sv name;
};

struct act_holder {
	int64_t pid, fd;
};

struct act_conn {
	uint64_t id; /* running number */
	enum act_family family;
	enum ev_l4proto proto; /* UNIX sockets: NA */
	enum act_net_state state;
	enum act_direction direction;
	bool from_start; /* it was there when the capture began: @first_ts is 0 */
	bool waits;	 /* a listener, or an address that datagrams may come to */
	bool answered;	 /* a connection that was established at some time */
	struct act_end local, remote;
	struct sv path; /* UNIX sockets; may be empty */
	/* Who made it, nearest ancestors after it; names as they were then. */
	struct act_who chain[ACT_CHAIN_MAX];
	unsigned chain_len;
	struct act_who user; /* who used it last: sent, received; else who made it */
	struct sv exe, container;
	uint32_t uid, loginuid;
	uint64_t bytes_in, bytes_out;
	uint64_t first_ts, last_ts; /* of what was seen of it; 0: nothing */
	uint64_t end_ts;	    /* closed or failed; 0: open or not known */
	uint64_t first_evt, first_offset;
	uint32_t attempts; /* connect calls to that peer */
	int error;	   /* errno of the last failure, 0: none */
	/* As of act_net_settle(): */
	struct act_holder holders[ACT_HOLDERS_MAX];
	uint32_t holder_count;
};

struct act_net_options {
	bool unix_sockets;  /* follow UNIX sockets, too */
	bool drop_closed;   /* forget what is closed when the table is full */
	uint32_t conns_max; /* 0: ACT_CONNS_MAX */
};

struct act_net_stats {
	uint64_t conns;	  /* seen altogether */
	uint64_t dropped; /* not followed: table full or out of memory */
	size_t memory;
};

struct act_net;

MUST_CHECK int act_net_new(const struct act_net_options *opt, struct act_net **out,
			   struct error *err);
void act_net_free(struct act_net *n); /* NULL is fine */
/* A section starts: everything known so far is of another time. Before the state takes the item. */
void act_net_section(struct act_net *n);
void act_net_event(struct act_net *n, const struct state *st, const struct state_binding *b);
/* Once it has taken an event of a complete state, it needs only those of these types. */
bool act_net_wants(unsigned type);
/* And of those only these: bits of enum state_tell (engine/state/tally.h). */
unsigned act_net_tell(unsigned type);
/*
 * As act_net_event(), for a call of @type by @t about its descriptor @fd that ended with @ret, once
 * the tracker has taken an event. Return: false: it did nothing, because it has to see the event.
 */
bool act_net_transfer(struct act_net *n, unsigned type, const struct state_thread *t,
		      const struct state_fd *fd, uint64_t ts, int64_t ret);
/* Bring states and holders up to date with the descriptors of @st. */
void act_net_settle(struct act_net *n, const struct state *st);
/* for (size_t at = 0; act_net_next(n, &at, &c);): by time of appearance; borrowed until the next
 * call that takes a non-const tracker. */
bool act_net_next(const struct act_net *n, size_t *at, const struct act_conn **out);
/* What is known of a descriptor: its connection, listener, or newest conversation; or NULL. */
const struct act_conn *act_net_of_fd(const struct act_net *n, const struct state_fd *fd);
const struct act_net_stats *act_net_stats(const struct act_net *n);

/*
 * A checkpoint: @live receives what the tracker knows of sockets that are there, @ended what it
 * knows of those that are gone, which it forgets then: each is in one checkpoint only. The state is
 * saved together with it, for the marks.
 * Return: 1, 0: it does not know all (something was dropped) and cannot be saved, or ERR_NOMEM.
 */
MUST_CHECK int act_net_save(struct act_net *n, const struct state *st, struct buf *live,
			    struct buf *ended, struct error *err);
/*
 * A tracker that goes on from there; that it follows UNIX sockets is possible if the one that was
 * saved did. @ended: those of this checkpoint and all before, or none if nobody asks for what is
 * over. Numbers are those that a tracker with @opt would have given.
 * Return: 0, ERR_FORMAT, ERR_LIMIT (more than @opt allows), ERR_NOMEM.
 */
MUST_CHECK int act_net_restore(const struct act_net_options *opt, struct sv live,
			       const struct sv *ended, size_t ended_count, struct act_net **out,
			       struct error *err);

const char *act_net_state_name(enum act_net_state s);
const char *act_net_proto_name(const struct act_conn *c); /* "tcp", "udp6", "unix", ... */
/* "10.0.0.5", "::1"; nothing if not known. */
void act_ip_text(struct buf *out, enum act_family family, const struct act_end *e);
/* "10.0.0.5:80", "[::1]:80", "*:80"; "?" if not known. */
void act_end_text(struct buf *out, enum act_family family, const struct act_end *e);
/* "10.0.0.5:51234->10.9.8.7:4444", "*:22" of a listener; the path of a UNIX socket */
void act_ends_text(struct buf *out, const struct act_conn *c);
/* "10.0.0.5:51234->10.9.8.7:4444 (tcp established)", "/run/bus (unix listening)" */
void act_socket_text(struct buf *out, const struct act_conn *c);
/* "established", "failed ECONNREFUSED", "closed listener" */
void act_conn_state_text(struct buf *out, const struct act_conn *c);
bool act_conn_is_over(const struct act_conn *c); /* closed or failed */
/* Did process @pid make it, use it last, or hold it (as of act_net_settle())? */
bool act_conn_is_of(const struct act_conn *c, int64_t pid);
/* "bash(2210)" */
void act_who_text(struct buf *out, const struct act_who *who);
/* "sshd(811)>bash(2210)": those of the chain at @first and above, the nearest one last. */
void act_chain_text(struct buf *out, const struct act_conn *c, unsigned first);

#endif
