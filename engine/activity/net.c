/* SPDX-License-Identifier: Apache-2.0 */
/* What each event means to the sockets. */
#include "engine/activity/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/activity/internal.h"
#include "engine/state/tally.h"

enum what { /* 0: not about sockets */
	    NET_SOCKET = 1,
	    NET_PAIR,
	    NET_BIND,
	    NET_LISTEN,
	    NET_CONNECT,
	    NET_ACCEPT,
	    NET_IN,
	    NET_OUT,
	    NET_SPLICE,
	    NET_SOCKOPT,
	    NET_CLOSE,
	    NET_EXIT,
};

#define NO_TUPLE 0xff

/* By event type: what it is, and the parameter that holds a packet's tuple. */
static const struct {
	uint8_t what, tuple;
} meanings[EV_TYPE_COUNT] = {
    [EV_SOCKET_X] = {NET_SOCKET, NO_TUPLE}, [EV_SOCKETPAIR_X] = {NET_PAIR, NO_TUPLE},
    [EV_BIND_X] = {NET_BIND, NO_TUPLE},	    [EV_LISTEN_X] = {NET_LISTEN, NO_TUPLE},
    [EV_CONNECT_X] = {NET_CONNECT, 1},	    [EV_ACCEPT_5_X] = {NET_ACCEPT, 1},
    [EV_ACCEPT4_6_X] = {NET_ACCEPT, 1},	    [EV_READ_X] = {NET_IN, NO_TUPLE},
    [EV_READV_X] = {NET_IN, NO_TUPLE},	    [EV_RECV_X] = {NET_IN, 4},
    [EV_RECVFROM_X] = {NET_IN, 2},	    [EV_RECVMSG_X] = {NET_IN, 3},
    [EV_RECVMMSG_X] = {NET_IN, 4},	    [EV_WRITE_X] = {NET_OUT, NO_TUPLE},
    [EV_WRITEV_X] = {NET_OUT, NO_TUPLE},    [EV_SEND_X] = {NET_OUT, 4},
    [EV_SENDTO_X] = {NET_OUT, 4},	    [EV_SENDMSG_X] = {NET_OUT, 4},
    [EV_SENDMMSG_X] = {NET_OUT, 4},	    [EV_SENDFILE_X] = {NET_OUT, NO_TUPLE},
    [EV_SPLICE_X] = {NET_SPLICE, NO_TUPLE}, [EV_GETSOCKOPT_X] = {NET_SOCKOPT, NO_TUPLE},
    [EV_CLOSE_X] = {NET_CLOSE, NO_TUPLE},   [EV_PROCEXIT_1_E] = {NET_EXIT, NO_TUPLE},
};

struct call { /* one event on its way through */
	struct act_net *n;
	struct act_place p;
	const struct state_binding *b;
	struct state_fd *fd;
	int64_t ret;
};

/* --- life --- */

int act_net_new(const struct act_net_options *opt, struct act_net **out, struct error *err)
{
	struct act_net *n = calloc(1, sizeof(*n));

	if (!n)
		return error_nomem(err);
	if (opt)
		n->opt = *opt;
	if (!n->opt.conns_max)
		n->opt.conns_max = ACT_CONNS_MAX;
	/* The map chooses its seed with its first entry, and the keys are made with that seed. */
	if (map_put(&n->talks, 1, n) < 0) {
		act_net_free(n);
		return error_nomem(err);
	}
	map_take(&n->talks, 1);
	*out = n;
	return 0;
}

void act_net_free(struct act_net *n)
{
	if (!n)
		return;
	map_done(&n->socks);
	map_done(&n->talks);
	act_texts_done(&n->texts);
	pool_done(&n->pool);
	free(n->list);
	free(n);
}

bool act_net_next(const struct act_net *n, size_t *at, const struct act_conn **out)
{
	if (*at >= n->count)
		return false;
	*out = &n->list[(*at)++]->pub;
	return true;
}

const struct act_conn *act_net_of_fd(const struct act_net *n, const struct state_fd *fd)
{
	const struct act_sock *s = act_sock_find(n, fd->mark);

	if (!s)
		return NULL;
	if (s->main)
		return &s->main->pub;
	return s->talks ? &s->talks->pub : NULL;
}

const struct act_net_stats *act_net_stats(const struct act_net *n)
{
	struct act_net_stats *s = (struct act_net_stats *)&n->stats;

	s->memory = sizeof(*n) + n->pool.total + n->texts.arena.total +
		    n->cap * sizeof(struct act_record *) +
		    (n->socks.mask + n->talks.mask) * sizeof(struct map_slot);
	return s;
}

const char *act_net_state_name(enum act_net_state s)
{
	static const char *const names[] = {"listening", "bound",  "connecting", "established",
					    "open",	 "closed", "failed"};

	return names[s];
}

const char *act_net_proto_name(const struct act_conn *c)
{
	static const char *const names[][2] = {
	    [EV_L4_UNKNOWN] = {"ip", "ip6"},  [EV_L4_NA] = {"ip", "ip6"},
	    [EV_L4_TCP] = {"tcp", "tcp6"},    [EV_L4_UDP] = {"udp", "udp6"},
	    [EV_L4_ICMP] = {"icmp", "icmp6"}, [EV_L4_RAW] = {"raw", "raw6"},
	};

	if (c->family == ACT_UNIX)
		return "unix";
	return names[c->proto <= EV_L4_RAW ? c->proto : EV_L4_UNKNOWN][c->family == ACT_IPV6];
}

/* --- kinds of descriptors --- */

static inline bool is_ip(const struct state_fd *fd)
{
	switch (fd->type) {
	case EV_FD_IPV4_SOCK:
	case EV_FD_IPV6_SOCK:
	case EV_FD_IPV4_SERVSOCK:
	case EV_FD_IPV6_SERVSOCK:
		return true;
	default:
		return false;
	}
}

static inline bool is_followed(const struct act_net *n, const struct state_fd *fd)
{
	return is_ip(fd) || (fd->type == EV_FD_UNIX_SOCK && n->opt.unix_sockets);
}

static bool is_datagram(const struct state_fd *fd)
{
	return is_ip(fd) && fd->sock.l4proto != EV_L4_TCP;
}

static struct act_record *main_of(const struct act_sock *s)
{
	return s ? s->main : NULL;
}

/* --- making and ending --- */

/* What the socket was until now is over; it will be something new. */
static void end_main(struct call *c, struct act_sock *s)
{
	struct act_record *r = s->main;

	if (!r)
		return;
	if (r->state != ACT_NET_FAILED) {
		r->state = ACT_NET_CLOSED;
		r->pub.end_ts = c->p.ev->ts;
	}
	r->sock = NULL;
	s->main = NULL;
}

static struct act_record *new_main(struct call *c, struct act_sock *s, enum act_family family,
				   enum ev_l4proto proto, enum act_net_state state)
{
	struct act_record *r = act_record_new(c->n, &c->p, s, family, proto);

	if (!r && s)
		act_sock_give_up(c->n, c->fd, s);
	if (!r)
		return NULL;
	r->state = state;
	if (!s)
		return r;
	end_main(c, s);
	s->main = r;
	return r;
}

static enum ev_l4proto proto_of(const struct state_fd *fd)
{
	return fd->type == EV_FD_UNIX_SOCK ? EV_L4_NA : (enum ev_l4proto)fd->sock.l4proto;
}

static void on_socket(struct call *c)
{
	struct act_net *n = c->n;

	if (c->fd && is_followed(n, c->fd) && !c->fd->mark && n->next_mark < ACT_MARK_IGNORED - 1)
		c->fd->mark = ++n->next_mark;
}

static void on_pair(struct call *c)
{
	for (unsigned i = 1; i <= 2; i++) {
		struct act_record *r;
		struct act_sock *s;
		int64_t num;

		c->fd = ev_i64(c->b->ev, i, &num) ? state_fd_find(c->p.thread, num) : NULL;
		if (!c->fd || !is_followed(c->n, c->fd))
			continue;
		s = act_sock_of_fd(c->n, c->fd);
		r = s ? new_main(c, s, ACT_UNIX, EV_L4_NA, ACT_NET_OPEN) : NULL;
		if (!r)
			continue;
		s->stream = true;
		r->pub.path = act_texts_keep(&c->n->texts, SV_LIT("socketpair"));
	}
}

static void on_bind(struct call *c)
{
	struct act_ends ends;
	struct act_record *r;
	struct act_sock *s;

	if (c->ret != 0 || !c->fd || !is_followed(c->n, c->fd) ||
	    !act_addr_decode(ev_param(c->b->ev, 1), &ends))
		return;
	s = act_sock_of_fd(c->n, c->fd);
	if (!s)
		return;
	end_main(c, s);
	r = new_main(c, s, ends.family, proto_of(c->fd), ACT_NET_BOUND);
	if (!r)
		return;
	s->stream = !is_datagram(c->fd);
	r->pub.waits = true;
	r->pub.local = ends.first;
	r->pub.path = act_texts_keep(&c->n->texts, ends.path);
}

static void on_listen(struct call *c)
{
	struct act_net *n = c->n;
	struct act_ends ends = {0};
	struct act_record *r;
	struct act_sock *s;

	if (c->ret != 0 || !c->fd || !is_followed(n, c->fd))
		return;
	s = act_sock_of_fd(n, c->fd);
	if (!s)
		return;
	r = s->main;
	if (!r || r->state != ACT_NET_BOUND) {
		if (r && r->state == ACT_NET_LISTENING)
			return;
		end_main(c, s);
		act_ends_of_fd(c->fd, &ends);
		r = new_main(c, s, ends.family, proto_of(c->fd), ACT_NET_BOUND);
		if (!r)
			return;
		r->pub.local = ends.first;
	}
	s->stream = true;
	r->pub.waits = true;
	r->state = ACT_NET_LISTENING;
	if (r->pub.family != ACT_UNIX && !r->pub.local.port && n->portless_count < ACT_PORTLESS_MAX)
		n->portless[n->portless_count++] = r;
}

/* --- connecting --- */

static void fail(struct call *c, struct act_record *r, int error)
{
	r->state = ACT_NET_FAILED;
	r->pub.error = error;
	r->pub.end_ts = c->p.ev->ts;
}

static void establish(struct act_record *r)
{
	r->state = ACT_NET_ESTABLISHED;
	r->pub.answered = true;
	r->pub.error = 0;
	r->pub.end_ts = 0;
}

static bool same_remote(const struct act_record *r, const struct act_ends *ends)
{
	return r->pub.family == ends->family && r->pub.remote.port == ends->second.port &&
	       memcmp(r->pub.remote.ip, ends->second.ip, sizeof(ends->second.ip)) == 0 &&
	       (ends->family != ACT_UNIX || sv_eq(r->pub.path, ends->path));
}

/* Local end first, as the call saw it. Failed calls often recorded the address alone. */
static bool connect_ends(struct call *c, struct act_ends *ends)
{
	struct act_ends addr;

	if (act_tuple_decode(ev_param(c->b->ev, 1), ends))
		return true;
	if (act_addr_decode(ev_param(c->b->ev, 3), &addr)) {
		*ends = (struct act_ends){
		    .family = addr.family, .second = addr.first, .path = addr.path};
		return true;
	}
	return c->fd && act_ends_of_fd(c->fd, ends);
}

static void connect_datagram(struct call *c, struct act_sock *s, const struct act_ends *ends)
{
	struct act_record *r;

	if (c->ret != 0 || !ends->second.known)
		return;
	r = act_talk(c->n, &c->p, s, ends, &ends->first, &ends->second, proto_of(c->fd),
		     ACT_DIR_OUT);
	if (r)
		r->pub.attempts++;
	else
		act_sock_give_up(c->n, c->fd, s);
}

static enum ev_l4proto connection_proto(const struct call *c, const struct act_ends *ends)
{
	if (ends->family == ACT_UNIX)
		return EV_L4_NA;
	return c->fd && is_ip(c->fd) && c->fd->sock.l4proto ? proto_of(c->fd) : EV_L4_TCP;
}

/* The record of an attempt to reach @ends: that of the call before if it goes on. */
static struct act_record *attempt(struct call *c, struct act_sock *s, const struct act_ends *ends)
{
	struct act_record *r = main_of(s);

	if (r && (r->state == ACT_NET_CONNECTING || r->state == ACT_NET_FAILED) &&
	    same_remote(r, ends))
		return r;
	if (!r || r->state != ACT_NET_BOUND) {
		if (s)
			end_main(c, s);
		r = new_main(c, s, ends->family, connection_proto(c, ends), ACT_NET_CONNECTING);
		if (!r)
			return NULL;
	}
	r->pub.waits = false;
	r->pub.direction = ACT_DIR_OUT;
	if (ends->first.known)
		r->pub.local = ends->first;
	r->pub.remote = ends->second;
	r->pub.path = act_texts_keep(&c->n->texts, ends->path);
	return r;
}

static void on_connect(struct call *c)
{
	struct act_sock *s = NULL;
	struct act_ends ends;
	struct act_record *r;

	if (!connect_ends(c, &ends) || (ends.family == ACT_UNIX && !c->n->opt.unix_sockets))
		return;
	if (c->fd && is_followed(c->n, c->fd)) {
		s = act_sock_of_fd(c->n, c->fd);
		if (s && c->fd->type != EV_FD_UNIX_SOCK &&
		    (c->fd->sock.l4proto == EV_L4_UDP || c->fd->sock.l4proto == EV_L4_RAW ||
		     c->fd->sock.l4proto == EV_L4_ICMP)) {
			connect_datagram(c, s, &ends);
			return;
		}
	}
	if (c->ret == -EALREADY || c->ret == -EINTR || c->ret == -EBADF || c->ret == -ENOTSOCK)
		return;
	if (c->ret == -EISCONN && main_of(s) && s->main->state == ACT_NET_ESTABLISHED)
		return;
	r = attempt(c, s, &ends);
	if (!r)
		return;
	if (s)
		s->stream = true;
	r->pub.attempts++;
	act_record_use(c->n, r, c->p.thread, c->p.ev->ts);
	if (c->ret == 0 || c->ret == -EISCONN)
		establish(r);
	else if (c->ret == -EINPROGRESS)
		r->state = ACT_NET_CONNECTING;
	else
		fail(c, r, (int)-c->ret);
}

/* A process that listens without a known port, and only one: the port is that of the accepted. */
static void learn_port(struct call *c, const struct act_end *local)
{
	struct act_net *n = c->n;
	int64_t pid = c->p.thread ? act_pid_of(c->p.thread) : -1;
	int found = -1;

	for (unsigned i = 0; i < n->portless_count; i++) {
		if (n->portless[i]->pub.chain_len == 0 || n->portless[i]->pub.chain[0].pid != pid)
			continue;
		if (found >= 0)
			return;
		found = (int)i;
	}
	if (found < 0)
		return;
	n->portless[found]->pub.local.port = local->port;
	n->portless[found] = n->portless[--n->portless_count];
}

static void on_accept(struct call *c)
{
	struct act_ends ends;
	struct act_record *r;
	struct act_sock *s;

	if (c->ret < 0 || !c->fd || !is_followed(c->n, c->fd) ||
	    !act_tuple_decode(ev_param(c->b->ev, 1), &ends))
		return;
	s = act_sock_of_fd(c->n, c->fd);
	if (!s)
		return;
	end_main(c, s);
	r = new_main(c, s, ends.family, ends.family == ACT_UNIX ? EV_L4_NA : EV_L4_TCP,
		     ACT_NET_ESTABLISHED);
	if (!r)
		return;
	s->stream = true;
	r->pub.direction = ACT_DIR_IN;
	r->pub.answered = true;
	r->pub.remote = ends.first;
	r->pub.local = ends.second;
	r->pub.path = act_texts_keep(&c->n->texts, ends.path);
	if (c->n->portless_count && ends.family != ACT_UNIX)
		learn_port(c, &ends.second);
}

/* --- data --- */

/* A connection nobody saw being made. */
static struct act_record *adopt(struct call *c, struct act_sock *s, enum act_direction way)
{
	bool server = c->fd->flags & STATE_FD_ROLE_SERVER;
	struct act_ends ends;
	struct act_record *r;

	if (!act_ends_of_fd(c->fd, &ends))
		return NULL;
	if (ends.family != ACT_UNIX && !ends.first.known && !ends.second.known)
		return NULL;
	r = new_main(c, s, ends.family, proto_of(c->fd), ACT_NET_ESTABLISHED);
	if (!r)
		return NULL;
	s->stream = true;
	r->pub.answered = ends.family != ACT_UNIX;
	r->pub.local = server ? ends.second : ends.first;
	r->pub.remote = server ? ends.first : ends.second;
	r->pub.direction = server ? ACT_DIR_IN : ACT_DIR_OUT;
	if (ends.family == ACT_UNIX) {
		r->state = ACT_NET_OPEN;
		r->pub.direction = way;
		r->pub.path = act_texts_keep(&c->n->texts, state_sv(c->fd->name));
	}
	return r;
}

/* The conversation a datagram belongs to. */
static struct act_record *talk_of(struct call *c, struct act_sock *s, enum act_direction way)
{
	unsigned i = meanings[c->b->ev->type].tuple;
	bool local_first = way == ACT_DIR_OUT;
	struct act_record *r;
	struct act_ends ends;

	if (i == NO_TUPLE || !act_tuple_decode(ev_param(c->b->ev, i), &ends)) {
		if (!act_ends_of_fd(c->fd, &ends) || state_fd_is_listener(c->fd))
			return NULL;
		local_first = !(c->fd->flags & STATE_FD_ROLE_SERVER);
	}
	if (ends.family == ACT_UNIX)
		return NULL;
	if (!(local_first ? ends.second : ends.first).known)
		return NULL;
	r = act_talk(c->n, &c->p, s, &ends, local_first ? &ends.first : &ends.second,
		     local_first ? &ends.second : &ends.first, proto_of(c->fd), way);
	if (!r)
		act_sock_give_up(c->n, c->fd, s);
	return r;
}

static struct act_record *record_of(struct call *c, enum act_direction way)
{
	struct act_sock *s = act_sock_of_fd(c->n, c->fd);
	struct act_record *r = main_of(s);

	if (!s || (r && (s->stream || r->state == ACT_NET_OPEN)))
		return r;
	if (is_datagram(c->fd) && c->fd->sock.l4proto != EV_L4_UNKNOWN)
		return talk_of(c, s, way);
	return r ? r : adopt(c, s, way);
}

static bool breaks_connection(int64_t ret)
{
	return ret == -ECONNREFUSED || ret == -ETIMEDOUT || ret == -EHOSTUNREACH ||
	       ret == -ENETUNREACH || ret == -ECONNRESET || ret == -EPIPE;
}

static void count_bytes(struct act_record *r, enum act_direction way, int64_t ret)
{
	if (way == ACT_DIR_IN)
		r->pub.bytes_in += (uint64_t)ret;
	else
		r->pub.bytes_out += (uint64_t)ret;
}

static void transfer(struct call *c, enum act_direction way)
{
	struct act_record *r;

	if (!c->fd || !is_followed(c->n, c->fd) || (c->ret < 0 && !breaks_connection(c->ret)))
		return;
	r = record_of(c, way);
	if (!r || r->state == ACT_NET_LISTENING)
		return;
	act_record_use(c->n, r, c->p.thread, c->p.ev->ts);
	if (c->ret < 0) {
		if (r->state == ACT_NET_CONNECTING)
			fail(c, r, (int)-c->ret);
		else
			r->pub.error = (int)-c->ret;
		return;
	}
	count_bytes(r, way, c->ret);
	if (r->state == ACT_NET_CONNECTING && c->ret > 0)
		establish(r);
}

/* As act_net_transfer(), with @s. @uses: it may be new that the process of @t uses it. */
static ALWAYS_INLINE bool transfer_over(struct act_net *n, const struct act_sock *s, unsigned type,
					const struct state_thread *t, const struct state_fd *fd,
					uint64_t ts, int64_t ret, bool uses)
{
	unsigned what = meanings[type].what;
	struct act_record *r = main_of(s);

	if (what != NET_IN && what != NET_OUT)
		return false;
	if (!r || ret < 0 || !is_followed(n, fd) ||
	    !(r->state == ACT_NET_OPEN || (r->state == ACT_NET_ESTABLISHED && s->stream)))
		return false;
	if (uses)
		act_record_use(n, r, t, ts);
	r->pub.last_ts = ts;
	count_bytes(r, what == NET_IN ? ACT_DIR_IN : ACT_DIR_OUT, ret);
	return true;
}

static NOINLINE bool transfer_anew(struct act_net *n, unsigned type, const struct state_thread *t,
				   const struct state_fd *fd, uint64_t ts, int64_t ret)
{
	return transfer_over(n, act_sock_recall(n, fd->mark), type, t, fd, ts, ret, true);
}

/* Most follow others of the same process over the same socket, which takes no call. */
bool act_net_transfer(struct act_net *n, unsigned type, const struct state_thread *t,
		      const struct state_fd *fd, uint64_t ts, int64_t ret)
{
	const struct act_sock *s = act_sock_near(n, fd->mark);

	if (UNLIKELY(!s))
		return transfer_anew(n, type, t, fd, ts, ret);
	if (UNLIKELY(!s->main) || UNLIKELY(act_pid_of(t) != s->main->pub.user.pid))
		return transfer_anew(n, type, t, fd, ts, ret);
	return transfer_over(n, s, type, t, fd, ts, ret, false);
}

static void on_splice(struct call *c)
{
	static const enum act_direction ways[] = {ACT_DIR_IN, ACT_DIR_OUT};

	for (unsigned i = 0; i < 2 && c->p.thread; i++) {
		int64_t num;

		c->fd = ev_i64(c->b->ev, i + 1, &num) ? state_fd_find(c->p.thread, num) : NULL;
		transfer(c, ways[i]);
	}
}

/* getsockopt(SOL_SOCKET, SO_ERROR) tells how a connect in the background ended. */
static void on_sockopt(struct call *c)
{
	enum { SOCKET_LEVEL = 1, SO_ERROR_NAME = 4, KIND_ERRNO = 1 };
	struct act_record *r;
	struct ev_value v;
	uint8_t level, name;
	int64_t code;

	if (c->ret != 0 || !c->fd || !is_followed(c->n, c->fd))
		return;
	r = main_of(act_sock_find(c->n, c->fd->mark));
	v = ev_param(c->b->ev, 4);
	if (!r || !ev_u8(c->b->ev, 2, &level) || !ev_u8(c->b->ev, 3, &name) ||
	    level != SOCKET_LEVEL || name != SO_ERROR_NAME || v.n != 9 || v.p[0] != KIND_ERRNO)
		return;
	code = (int64_t)load_u64(v.p + 1);
	if (code < 0)
		code = code < -4095 ? 0 : -code;
	if (r->state == ACT_NET_CONNECTING) {
		act_record_use(c->n, r, c->p.thread, c->p.ev->ts);
		if (code)
			fail(c, r, (int)(code & 0xfff));
		else
			establish(r);
	} else if (code) {
		r->pub.error = (int)(code & 0xfff);
	}
}

/* --- ending --- */

static void note_close(struct call *c, const struct state_fd *fd)
{
	struct act_sock *s = act_sock_find(c->n, fd->mark);

	if (s)
		s->end_ts = c->p.ev->ts;
}

static void on_exit_of(struct call *c)
{
	const struct state_fd *fd;

	if (!c->p.thread || state_thread_count(c->p.thread) > 0)
		return;
	for (size_t at = 0; (fd = state_fd_next(c->p.thread, &at));)
		if (fd->mark)
			note_close(c, fd);
}

bool act_net_wants(unsigned type)
{
	return meanings[type].what != 0;
}

/* Most reads and writes are not. Some calls name their descriptors themselves. */
static bool is_about_socket(const struct act_net *n, unsigned what, const struct state_fd *fd)
{
	switch (what) {
	case NET_CONNECT:
	case NET_EXIT:
	case NET_PAIR:
	case NET_SPLICE:
		return true;
	case NET_CLOSE:
		return fd && fd->mark;
	default:
		return fd && is_followed(n, fd);
	}
}

unsigned act_net_tell(unsigned type)
{
	switch (meanings[type].what) {
	case 0:
		return 0;
	case NET_CONNECT:
	case NET_EXIT:
	case NET_PAIR:
	case NET_SPLICE:
		return STATE_TELL_ALL;
	case NET_CLOSE:
		return STATE_TELL_MARKED;
	default:
		return STATE_TELL_SOCKETS;
	}
}

void act_net_event(struct act_net *n, const struct state *st, const struct state_binding *b)
{
	unsigned what = meanings[b->ev->type].what;
	struct call c;

	if (UNLIKELY(!n->started)) {
		if (!state_is_complete(st))
			return;
		act_net_start(n, st, b->fd);
	}
	if (LIKELY(!what))
		return;
	c = (struct call){.n = n, .p = {st, b->thread, b->ev}, .b = b, .fd = b->fd};
	if (!is_about_socket(n, what, c.fd))
		return;
	ev_return_value(b->ev, &c.ret);
	switch (what) {
	case NET_SOCKET:
		on_socket(&c);
		break;
	case NET_PAIR:
		if (c.ret >= 0 && c.p.thread && n->opt.unix_sockets)
			on_pair(&c);
		break;
	case NET_BIND:
		on_bind(&c);
		break;
	case NET_LISTEN:
		on_listen(&c);
		break;
	case NET_CONNECT:
		on_connect(&c);
		break;
	case NET_ACCEPT:
		on_accept(&c);
		break;
	case NET_IN:
		transfer(&c, ACT_DIR_IN);
		break;
	case NET_OUT:
		transfer(&c, ACT_DIR_OUT);
		break;
	case NET_SPLICE:
		on_splice(&c);
		break;
	case NET_SOCKOPT:
		on_sockopt(&c);
		break;
	case NET_CLOSE:
		if (c.ret == 0)
			note_close(&c, c.fd);
		break;
	case NET_EXIT:
		on_exit_of(&c);
		break;
	}
}
