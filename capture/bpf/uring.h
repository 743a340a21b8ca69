/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations submitted through io_uring: no system call tells of them. What an operation was given
 * is kept from its submission until its result is known, then both become one event of type
 * EV_TYPE_URING, whose parameters scapfile/event.h lists. What the kernel has copied by then
 * (paths, addresses to connect to) is taken from there. From Linux 6.4, where io_uring_submit_req
 * appeared.
 */
#ifndef CAPTURE_BPF_URING_H
#define CAPTURE_BPF_URING_H

#include "capture/bpf/file.h"
#include "capture/bpf/filter.h"
#include "capture/bpf/proc.h"
#include "capture/bpf/socket.h"

#define EV_TYPE_URING	  60003 /* as in scapfile/event.h */
#define URING_PARAMS	  20
#define URING_OPS	  16384 /* under way at a time */
#define URING_NAMES	  4096
#define URING_SHOTS	  1024
#define URING_NAME_MAX	  1024
#define URING_ADDRESS_MAX 112
#define SQE_FIXED_FILE	  (1u << 0)
#define SQE_SKIP_SUCCESS  (1u << 6)
#define CQE_MORE	  (1u << 1)
#define CQE_NOTIFICATION  (1u << 3)
#define ACCEPT_MULTISHOT  1
#define RECV_MULTISHOT	  2
#define LARGE_FILE	  (1u << 11) /* PPM_O_LARGEFILE: the kernel adds it on its own */

enum uring_opcode { /* IORING_OP_* */
		    OP_READV = 1,
		    OP_WRITEV = 2,
		    OP_READ_FIXED = 4,
		    OP_WRITE_FIXED = 5,
		    OP_SENDMSG = 9,
		    OP_RECVMSG = 10,
		    OP_ACCEPT = 13,
		    OP_CONNECT = 16,
		    OP_OPENAT = 18,
		    OP_CLOSE = 19,
		    OP_STATX = 21,
		    OP_READ = 22,
		    OP_WRITE = 23,
		    OP_SEND = 26,
		    OP_RECV = 27,
		    OP_OPENAT2 = 28,
		    OP_SPLICE = 30,
		    OP_TEE = 33,
		    OP_SHUTDOWN = 34,
		    OP_RENAMEAT = 35,
		    OP_UNLINKAT = 36,
		    OP_MKDIRAT = 37,
		    OP_SYMLINKAT = 38,
		    OP_LINKAT = 39,
		    OP_SOCKET = 45,
		    OP_SEND_ZC = 47,
		    OP_SENDMSG_ZC = 48,
		    OP_READ_MULTISHOT = 49,
		    OP_BIND = 56,
		    OP_RECV_ZC = 58,
		    OP_READV_FIXED = 60,
		    OP_WRITEV_FIXED = 61,
		    OP_PIPE = 62,
};

/* Operations on a file, whose descriptor or index stands in the request. */
#define BIT(n) (1ull << (n))
static const u64 uring_file_ops =
    BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(13) |
    BIT(16) | BIT(17) | BIT(22) | BIT(23) | BIT(24) | BIT(26) | BIT(27) | BIT(30) | BIT(33) |
    BIT(34) | BIT(40) | BIT(41) | BIT(43) | BIT(46) | BIT(47) | BIT(48) | BIT(49) | BIT(54) |
    BIT(55) | BIT(56) | BIT(57) | BIT(58) | BIT(60) | BIT(61);

/* Since 6.15 a completion comes as a struct io_uring_cqe, before with its fields one by one. */
const volatile __u32 cfg_uring_cqe = 1;

struct uring_op {
	u64 submitted, user_data, addr, len, offset;
	s64 fd, fd2;
	u32 tid, flags;
	u32 slot; /* of the ring's own table */
	u8 op, sqe_flags;
	u16 address_len; /* as the caller said */
	u8 address[URING_ADDRESS_MAX];
};
struct uring_names {
	char name[URING_NAME_MAX], name2[URING_NAME_MAX];
};
struct uring_shot { /* a request that has many results: they name only this */
	u64 ring, user_data;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, URING_OPS);
	__type(key, u64); /* the request's address */
	__type(value, struct uring_op);
} uring_ops SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, URING_NAMES);
	__type(key, u64);
	__type(value, struct uring_names);
} uring_names SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, URING_SHOTS);
	__type(key, struct uring_shot);
	__type(value, u64);
} uring_shots SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct uring_op);
} uring_new_op SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct uring_names);
} uring_new_names SEC(".maps");

/* --- submission --- */

static __always_inline void keep_names(u64 key, struct filename *name, struct filename *name2)
{
	u32 zero = 0;
	struct uring_names *n = bpf_map_lookup_elem(&uring_new_names, &zero);

	if (!n)
		return;
	n->name[0] = n->name2[0] = 0;
	bpf_probe_read_kernel_str(n->name, sizeof(n->name), BPF_CORE_READ(name, name));
	if (name2)
		bpf_probe_read_kernel_str(n->name2, sizeof(n->name2), BPF_CORE_READ(name2, name));
	if (bpf_map_update_elem(&uring_names, &key, n, BPF_ANY))
		count(WIRE_FAULT, EV_TYPE_URING);
}

static __always_inline void keep_open(struct uring_op *o, u64 key, struct io_open *c)
{
	o->fd = BPF_CORE_READ(c, dfd);
	o->flags = BPF_CORE_READ(c, how.flags);
	o->len = BPF_CORE_READ(c, how.mode);
	o->offset = BPF_CORE_READ(c, how.resolve);
	o->slot = BPF_CORE_READ(c, file_slot);
	keep_names(key, BPF_CORE_READ(c, filename), 0);
}

static __always_inline void keep_rename(struct uring_op *o, u64 key, struct io_rename *c)
{
	o->fd = BPF_CORE_READ(c, old_dfd);
	o->fd2 = BPF_CORE_READ(c, new_dfd);
	o->flags = BPF_CORE_READ(c, flags);
	keep_names(key, BPF_CORE_READ(c, oldpath), BPF_CORE_READ(c, newpath));
}

static __always_inline void keep_link(struct uring_op *o, u64 key, struct io_link *c)
{
	o->fd = o->op == OP_SYMLINKAT ? -1 : BPF_CORE_READ(c, old_dfd);
	o->fd2 = BPF_CORE_READ(c, new_dfd);
	o->flags = o->op == OP_SYMLINKAT ? 0 : BPF_CORE_READ(c, flags);
	keep_names(key, BPF_CORE_READ(c, oldpath), BPF_CORE_READ(c, newpath));
}

static __always_inline void keep_path(struct uring_op *o, u64 key, void *cmd)
{
	struct io_unlink *unlink = cmd;
	struct io_mkdir *mkdir = cmd;
	struct io_statx *statx = cmd;

	if (o->op == OP_UNLINKAT) {
		o->fd = BPF_CORE_READ(unlink, dfd);
		o->flags = BPF_CORE_READ(unlink, flags);
		keep_names(key, BPF_CORE_READ(unlink, filename), 0);
	} else if (o->op == OP_MKDIRAT) {
		o->fd = BPF_CORE_READ(mkdir, dfd);
		o->len = BPF_CORE_READ(mkdir, mode);
		keep_names(key, BPF_CORE_READ(mkdir, filename), 0);
	} else {
		o->fd = BPF_CORE_READ(statx, dfd);
		o->flags = BPF_CORE_READ(statx, flags);
		o->len = BPF_CORE_READ(statx, mask);
		keep_names(key, BPF_CORE_READ(statx, filename), 0);
	}
}

static __always_inline void keep_rw(struct uring_op *o, struct io_rw *c)
{
	o->addr = BPF_CORE_READ(c, addr);
	o->len = BPF_CORE_READ(c, len);
	o->flags = BPF_CORE_READ(c, flags);
	o->offset = BPF_CORE_READ(c, kiocb.ki_pos);
}

static __always_inline void keep_message(struct uring_op *o, struct io_sr_msg *c)
{
	o->addr = (u64)BPF_CORE_READ(c, buf);
	o->len = (u32)BPF_CORE_READ(c, len);
	o->flags = BPF_CORE_READ(c, msg_flags);
}

/*
 * Connect and bind: the kernel has its copy already, as a whole or as a member of what messages
 * need, depending on its version. That begins with a pointer or zero: never with 1, 2 or 10.
 */
static __always_inline u64 copied_address(struct io_kiocb *req)
{
	u64 async = (u64)BPF_CORE_READ(req, async_data);
	u16 family = 0;

	if (!async)
		return 0;
	bpf_probe_read_kernel(&family, sizeof(family), (void *)async);
	if (family == AF_INET_ || family == AF_INET6_ || family == AF_UNIX_)
		return async;
	return async + bpf_core_field_offset(struct io_async_msghdr, addr);
}

static __always_inline void keep_address(struct uring_op *o, struct io_kiocb *req)
{
	struct io_connect *connect = (void *)req;
	struct io_bind *bind = (void *)req;
	u64 copied = copied_address(req);
	u32 len = 0;

	if (o->op == OP_CONNECT) {
		len = BPF_CORE_READ(connect, addr_len);
		o->addr = (u64)BPF_CORE_READ(connect, addr);
	} else if (bpf_core_field_exists(bind->addr_len)) {
		len = BPF_CORE_READ(bind, addr_len);
	}
	o->len = len;
	if (len > sizeof(o->address))
		return;
	o->address_len = len;
	if (copied)
		bpf_probe_read_kernel(o->address, sizeof(o->address), (void *)copied);
	else if (len)
		bpf_probe_read_user(o->address, len, (void *)o->addr);
}

static __always_inline void keep_other(struct uring_op *o, void *cmd)
{
	struct io_accept *accept = cmd;
	struct io_close *close = cmd;
	struct io_socket *socket = cmd;
	struct io_splice *splice = cmd;
	struct io_shutdown *shutdown = cmd;
	struct io_pipe *pipe = cmd;

	switch (o->op) {
	case OP_ACCEPT:
		o->addr = (u64)BPF_CORE_READ(accept, addr);
		o->flags = BPF_CORE_READ(accept, flags);
		o->slot = BPF_CORE_READ(accept, file_slot);
		break;
	case OP_CLOSE:
		o->fd = BPF_CORE_READ(close, fd);
		o->slot = BPF_CORE_READ(close, file_slot);
		break;
	case OP_SOCKET:
		o->len = (u32)BPF_CORE_READ(socket, domain);
		o->flags = BPF_CORE_READ(socket, type);
		o->offset = (u32)BPF_CORE_READ(socket, protocol);
		o->slot = BPF_CORE_READ(socket, file_slot);
		break;
	case OP_SPLICE:
	case OP_TEE:
		o->fd2 = BPF_CORE_READ(splice, splice_fd_in);
		o->len = BPF_CORE_READ(splice, len);
		o->flags = BPF_CORE_READ(splice, flags);
		break;
	case OP_SHUTDOWN:
		o->flags = BPF_CORE_READ(shutdown, how);
		break;
	case OP_PIPE:
		if (!bpf_core_type_exists(struct io_pipe))
			break;
		o->addr = (u64)BPF_CORE_READ(pipe, fds);
		o->flags = BPF_CORE_READ(pipe, flags);
		o->slot = BPF_CORE_READ(pipe, file_slot);
		break;
	}
}

static __always_inline void keep_command(struct uring_op *o, u64 key, struct io_kiocb *req)
{
	switch (o->op) {
	case OP_OPENAT:
	case OP_OPENAT2:
		keep_open(o, key, (void *)req);
		break;
	case OP_RENAMEAT:
		keep_rename(o, key, (void *)req);
		break;
	case OP_SYMLINKAT:
	case OP_LINKAT:
		keep_link(o, key, (void *)req);
		break;
	case OP_UNLINKAT:
	case OP_MKDIRAT:
	case OP_STATX:
		keep_path(o, key, req);
		break;
	case OP_READV:
	case OP_WRITEV:
	case OP_READ_FIXED:
	case OP_WRITE_FIXED:
	case OP_READ:
	case OP_WRITE:
	case OP_READ_MULTISHOT:
	case OP_READV_FIXED:
	case OP_WRITEV_FIXED:
		keep_rw(o, (void *)req);
		break;
	case OP_SENDMSG:
	case OP_RECVMSG:
	case OP_SEND:
	case OP_RECV:
	case OP_SEND_ZC:
	case OP_SENDMSG_ZC:
		keep_message(o, (void *)req);
		break;
	case OP_CONNECT:
	case OP_BIND:
		keep_address(o, req);
		break;
	default:
		keep_other(o, req);
	}
}

static __always_inline bool has_many_results(u8 op, void *cmd)
{
	struct io_accept *accept = cmd;
	struct io_sr_msg *message = cmd;

	if (op == OP_READ_MULTISHOT || op == OP_RECV_ZC)
		return true;
	if (op == OP_ACCEPT)
		return BPF_CORE_READ(accept, iou_flags) & ACCEPT_MULTISHOT;
	return (op == OP_RECV || op == OP_RECVMSG) &&
	       BPF_CORE_READ(message, flags) & RECV_MULTISHOT;
}

/* Threads of the kernel that take operations from a ring have no events; their process has. */
static __always_inline u32 submitter(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->flags & TASK_WORKER ? task->tgid : task->pid;
}

static __always_inline void fill_op(struct uring_op *o, struct io_kiocb *req)
{
	__builtin_memset(o, 0, sizeof(*o));
	o->submitted = cfg_boot_ns + bpf_ktime_get_boot_ns();
	o->tid = submitter();
	o->user_data = BPF_CORE_READ(req, cqe.user_data);
	o->op = BPF_CORE_READ(req, opcode);
	o->sqe_flags = (u8)BPF_CORE_READ(req, flags);
	o->fd = uring_file_ops >> (o->op & 63) & 1 ? BPF_CORE_READ(req, cqe.fd) : -1;
	o->fd2 = -1;
}

/* --- the event --- */

/* As put_sockaddr(), from an address that was copied. */
static __always_inline void put_kept_address(struct scratch *s, u32 i, struct uring_op *o)
{
	u8 *at = scratch_at(s);
	u16 family = *(u16 *)o->address, len = o->address_len;
	u32 n = 0;

	at[0] = (u8)family;
	if (family == AF_INET_ && len >= 8) {
		__builtin_memcpy(at + 1, o->address + 4, 4);
		STORE(u16, at + 5, swap16(*(u16 *)(o->address + 2)));
		n = 7;
	} else if (family == AF_INET6_ && len >= 24) {
		__builtin_memcpy(at + 1, o->address + 8, 16);
		STORE(u16, at + 17, swap16(*(u16 *)(o->address + 2)));
		n = 19;
	} else if (family == AF_UNIX_ && len >= 2) {
		n = unix_name(at + 1, (u64)o->address + 2, len - 2, false);
		n = n ? n + 1 : 0;
	}
	put_len(s, i, n);
}

static __always_inline bool has_tuple(struct uring_op *o, s64 res)
{
	if (o->op == OP_ACCEPT) /* of what it gives, wherever the listener is */
		return res >= 0 && !o->slot;
	if (o->sqe_flags & SQE_FIXED_FILE || !connected(res < 0 ? res : 0))
		return false;
	return o->op == OP_CONNECT || o->op == OP_SEND || o->op == OP_RECV || o->op == OP_SENDMSG ||
	       o->op == OP_RECVMSG || o->op == OP_SEND_ZC || o->op == OP_SENDMSG_ZC;
}

static __always_inline bool is_inbound(u8 op)
{
	return op == OP_ACCEPT || op == OP_RECV || op == OP_RECVMSG;
}

static __always_inline void put_name(struct scratch *s, u32 i, const char *name)
{
	if (name)
		put_kstr(s, i, name);
	else
		put_empty(s, i);
}

/* The kernel has written both ends of a pipe where its result stands. */
static __always_inline void read_pipe(struct uring_op *o)
{
	s32 ends[2];

	if (bpf_probe_read_user(ends, sizeof(ends), (void *)o->addr))
		return;
	o->fd = ends[0];
	o->fd2 = ends[1];
}

/* What an operation that opens gives: the flags of the descriptor, and which file it is. */
static __always_inline void put_opened(struct scratch *s, u32 i, struct uring_op *o, s64 res)
{
	bool pipe = o->op == OP_PIPE, opens = o->op == OP_OPENAT || o->op == OP_OPENAT2 || pipe;
	struct opened file = {};
	u32 flags;

	if (!o->submitted || !(opens || o->op == OP_ACCEPT || o->op == OP_SOCKET)) {
		put_empty(s, i);
	} else if (opens) {
		if (res >= 0 && !o->slot)
			file = open_result(bpf_get_current_task_btf(), pipe ? o->fd : res);
		flags = pipe ? map_pipe2_flags(o->flags)
			     : (map_open_flags(o->flags) & ~LARGE_FILE) | file.flags;
		put_num(u32, s, i, flags);
		put_num(u32, s, i + 1, file.dev);
		put_num(u64, s, i + 2, file.ino);
		return;
	} else {
		put_num(u32, s, i, map_socket_type_flags(o->flags));
	}
	put_empty(s, i + 1);
	put_empty(s, i + 2);
}

/* @known: whether there is a result already. */
static __always_inline void uring_event(struct uring_op *o, u64 key, bool known, s64 res, u32 flags)
{
	struct scratch *s = scratch_begin(EV_TYPE_URING, URING_PARAMS);
	struct uring_names *names;
	bool second;

	if (!s)
		return;
	names = bpf_map_lookup_elem(&uring_names, &key);
	second = names && names->name2[0];
	if (o->op == OP_PIPE && known && res == 0 && !o->slot)
		read_pipe(o);
	STORE(u64, s->data + 8, o->tid);
	if (known)
		put_num(s64, s, 0, res);
	else
		put_empty(s, 0);
	put_num(u8, s, 1, o->op);
	put_num(s64, s, 2, o->fd);
	put_num(u64, s, 3, o->user_data);
	put_num(u32, s, 4, flags);
	put_num(u8, s, 5, o->sqe_flags);
	put_num(u32, s, 6, o->flags);
	put_num(u64, s, 7, o->addr);
	put_num(u64, s, 8, o->len);
	put_num(u64, s, 9, o->offset);
	put_num(s64, s, 10, o->fd2);
	put_num(u64, s, 11, o->submitted);
	put_name(s, 12, names ? names->name : 0);
	put_name(s, 13, second ? names->name2 : 0);
	put_kept_address(s, 14, o);
	put_tuple(s, 15, known && has_tuple(o, res), o->op == OP_ACCEPT ? (u64)res : (u64)o->fd,
		  is_inbound(o->op) ? INBOUND : OUTBOUND, 0, 0);
	put_num(u32, s, 16, o->slot);
	put_opened(s, 17, o, known ? res : -1);
	scratch_commit(s, EV_TYPE_URING);
}

static __always_inline bool skip_uring(struct task_struct *task)
{
	return task->tgid == cfg_own_tgid || !keep_task(task, EV_TYPE_URING);
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_uring_submit, struct io_kiocb *req)
{
	u64 key = (u64)req;
	u32 zero = 0;
	struct uring_op *o = bpf_map_lookup_elem(&uring_new_op, &zero);

	if (!o || skip_uring(bpf_get_current_task_btf()))
		return 0;
	fill_op(o, req);
	bpf_map_delete_elem(&uring_names, &key);
	keep_command(o, key, req);
	if (o->sqe_flags & SQE_SKIP_SUCCESS) { /* nobody will tell that it was done */
		uring_event(o, key, false, 0, 0);
		return 0;
	}
	if (bpf_map_update_elem(&uring_ops, &key, o, BPF_ANY))
		count(WIRE_FAULT, EV_TYPE_URING);
	if (has_many_results(o->op, req)) {
		struct uring_shot shot = {(u64)BPF_CORE_READ(req, ctx), o->user_data};

		bpf_map_update_elem(&uring_shots, &shot, &key, BPF_ANY);
	}
	return 0;
}

/* The kernel refuses to begin: what was asked for stands in the queue only. A result follows. */
SEC("tp_btf/io_uring_req_failed")
int BPF_PROG(on_uring_refused, struct io_uring_sqe *sqe, struct io_kiocb *req)
{
	u64 key = (u64)req;
	u32 zero = 0;
	struct uring_op *o = bpf_map_lookup_elem(&uring_new_op, &zero);

	if (!o || skip_uring(bpf_get_current_task_btf()))
		return 0;
	fill_op(o, req);
	o->submitted = 0;
	o->fd = -1;
	o->op = BPF_CORE_READ(sqe, opcode);
	o->sqe_flags = BPF_CORE_READ(sqe, flags);
	bpf_map_delete_elem(&uring_names, &key);
	if (bpf_map_update_elem(&uring_ops, &key, o, BPF_ANY))
		count(WIRE_FAULT, EV_TYPE_URING);
	return 0;
}

/* --- completion --- */

struct uring_result {
	u64 user_data;
	s64 res;
	u32 flags;
};

/* A result whose operation is not known: it began before us, or there were too many. */
static __always_inline struct uring_op *unknown_op(struct io_kiocb *req)
{
	u32 zero = 0;
	struct uring_op *o = bpf_map_lookup_elem(&uring_new_op, &zero);

	if (!o || skip_uring(bpf_get_current_task_btf()))
		return 0;
	fill_op(o, req);
	o->submitted = 0;
	o->fd = -1; /* its place has the flags of the result now */
	return o;
}

static __always_inline int uring_done(u64 ring, struct io_kiocb *req, struct uring_result r)
{
	struct uring_shot shot = {ring, r.user_data};
	u64 key = (u64)req, *shooter;
	struct uring_op *o;

	if (r.flags & CQE_NOTIFICATION) /* a buffer is free again, no result */
		return 0;
	if (!key) {
		shooter = bpf_map_lookup_elem(&uring_shots, &shot);
		if (!shooter)
			return 0; /* a message of another ring */
		key = *shooter;
	}
	o = bpf_map_lookup_elem(&uring_ops, &key);
	if (!o && req)
		o = unknown_op(req);
	if (!o)
		return 0;
	uring_event(o, key, true, r.res, r.flags);
	if (r.flags & CQE_MORE)
		return 0;
	bpf_map_delete_elem(&uring_ops, &key);
	bpf_map_delete_elem(&uring_names, &key);
	bpf_map_delete_elem(&uring_shots, &shot);
	return 0;
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(on_uring_complete, struct io_ring_ctx *ring, struct io_kiocb *req,
	     struct io_uring_cqe *cqe)
{
	struct uring_result r;

	if (cfg_uring_cqe) {
		r.user_data = BPF_CORE_READ(cqe, user_data);
		r.res = BPF_CORE_READ(cqe, res);
		r.flags = BPF_CORE_READ(cqe, flags);
	} else {
		r.user_data = ctx[2];
		r.res = s32(ctx[3]);
		r.flags = ctx[4];
	}
	return uring_done((u64)ring, req, r);
}

#endif
