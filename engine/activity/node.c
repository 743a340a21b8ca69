/* SPDX-License-Identifier: Apache-2.0 */
/* What a process is, from the state or from what its tracker remembers. */
#include "engine/activity/forest.h"
#include "engine/activity/words.h"

struct act_identity act_identity_of_thread(const struct state_thread *t)
{
	return (struct act_identity){
	    .uid = t->uid,
	    .gid = t->gid,
	    .loginuid = t->loginuid,
	    .tty = t->tty,
	    .exec_count = t->exec_count,
	    .vpid = t->vpid,
	    .sid = t->sid,
	    .pgid = t->pgid,
	    .vpgid = t->vpgid,
	    .start_ts = t->clone_ts,
	    .exec_ts = t->lastexec_ts,
	    .cap_inheritable = t->cap_inheritable,
	    .cap_permitted = t->cap_permitted,
	    .cap_effective = t->cap_effective,
	    .container = t->container_id,
	    .comm = state_sv(t->comm),
	    .exe = state_sv(t->exe),
	    .exepath = state_sv(t->exepath),
	    .cwd = state_thread_cwd(t),
	    .container_id = state_sv(t->container_id),
	};
}

struct act_identity act_node_identity(const struct act_node *n)
{
	const struct act_proc *p = n->p;

	if (n->t)
		return act_identity_of_thread(n->t);
	return (struct act_identity){
	    .uid = p->uid,
	    .gid = p->gid,
	    .loginuid = p->loginuid,
	    .tty = p->tty,
	    .exec_count = p->exec_count,
	    .vpid = p->vpid,
	    .sid = p->sid,
	    .pgid = p->pgid,
	    .vpgid = p->vpgid,
	    .start_ts = p->start_ts,
	    .exec_ts = p->exec_ts,
	    .cap_inheritable = p->cap_inheritable,
	    .cap_permitted = p->cap_permitted,
	    .cap_effective = p->cap_effective,
	    .comm = p->comm,
	    .exe = p->exe,
	    .exepath = p->exepath,
	    .cwd = p->cwd,
	    .container_id = p->container,
	};
}

bool act_node_is_placeholder(const struct act_node *n)
{
	return n->t && state_thread_is_invalid(n->t);
}

bool act_node_is_kernel(const struct act_node *n)
{
	return n->t && !act_node_is_placeholder(n) && !state_sv(n->t->exe).n &&
	       !state_sv(n->t->exepath).n && n->t->args.count == 0;
}

bool act_node_is_moved(const struct act_forest *f, const struct act_node *n)
{
	const struct act_node *parent = n->parent == ACT_NO_NODE ? NULL : &f->nodes[n->parent];

	if (!n->t || !n->p || n->p->ppid < 0)
		return false;
	return !parent || parent->pid != n->p->ppid ||
	       (parent->p && n->p->parent_key && parent->p->key != n->p->parent_key);
}

void act_node_command(struct buf *b, const struct act_node *n)
{
	if (!n->t) {
		act_command_text_of(b, n->p->exe, n->p->comm, n->p->args, n->p->arg_count);
	} else if (act_node_is_placeholder(n)) {
		buf_lit(b, "(not described)");
	} else if (act_node_is_kernel(n)) {
		buf_char(b, '[');
		buf_sv(b, state_sv(n->t->comm));
		buf_char(b, ']');
	} else {
		act_command_text(b, n->t);
	}
}
