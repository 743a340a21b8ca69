/* SPDX-License-Identifier: Apache-2.0 */
/* What a person reads of sockets and their processes. */
#include "engine/activity/net.h"

#include "engine/filter/filter.h"

bool act_conn_is_over(const struct act_conn *c)
{
	return c->state == ACT_NET_CLOSED || c->state == ACT_NET_FAILED;
}

bool act_conn_is_of(const struct act_conn *c, int64_t pid)
{
	if ((c->chain_len && c->chain[0].pid == pid) || c->user.pid == pid)
		return true;
	for (unsigned i = 0; i < c->holder_count && i < ACT_HOLDERS_MAX; i++)
		if (c->holders[i].pid == pid)
			return true;
	return false;
}

void act_conn_state_text(struct buf *b, const struct act_conn *c)
{
	const char *name = c->error ? flt_errno_name(c->error) : NULL;

	buf_str(b, act_net_state_name(c->state));
	if (c->state == ACT_NET_FAILED && name)
		buf_addf(b, " %s", name);
	if (c->waits && act_conn_is_over(c))
		buf_str(b, c->proto == EV_L4_UDP ? " socket" : " listener");
}

void act_ends_text(struct buf *b, const struct act_conn *c)
{
	if (c->family == ACT_UNIX) {
		buf_sv(b, c->path);
		return;
	}
	act_end_text(b, c->family, &c->local);
	if (c->waits)
		return;
	buf_str(b, c->direction == ACT_DIR_IN ? "<-" : "->");
	act_end_text(b, c->family, &c->remote);
}

void act_socket_text(struct buf *b, const struct act_conn *c)
{
	size_t start = b->len;

	act_ends_text(b, c);
	if (b->len > start)
		buf_char(b, ' ');
	buf_addf(b, "(%s %s)", act_net_proto_name(c), act_net_state_name(c->state));
}

void act_who_text(struct buf *b, const struct act_who *who)
{
	buf_sv(b, who->name);
	buf_addf(b, "(%lld)", (long long)who->pid);
}

void act_chain_text(struct buf *b, const struct act_conn *c, unsigned first)
{
	for (unsigned i = c->chain_len; i-- > first;) {
		act_who_text(b, &c->chain[i]);
		if (i > first)
			buf_char(b, '>');
	}
}
