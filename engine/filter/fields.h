/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files that make fields: argument forms, the codes by which one extractor serves
 * several rows of fields.def, and the texts several of them need.
 */
#ifndef ENGINE_FILTER_FIELDS_H
#define ENGINE_FILTER_FIELDS_H

#include "engine/filter/internal.h"

#define FLT_ANCESTORS_MAX 1024 /* how far up fields about "any ancestor" look */

enum field_form { /* which arguments a field takes */
		  FORM_NONE,
		  FORM_INDEX,	 /* optional [N] */
		  FORM_ENV,	 /* optional [N] or [NAME] */
		  FORM_PARAM,	 /* .NAME of a parameter, or [N] */
		  FORM_RAWPARAM, /* .NAME of a parameter */
		  FORM_EVENT,	 /* .NAME of an event */
		  FORM_TIME,	 /* [T] */
		  FORM_ABSPATH,	 /* optional .src or .dst */
		  FORM_SUBSYS,	 /* .NAME of a cgroup subsystem */
		  FORM_SELECT,	 /* [N] or [REGEX] */
		  FORM_KEY,	 /* [KEY] */
};

enum { CLOCK_NS, CLOCK_S, CLOCK_ISO, CLOCK_DATE_NS, CLOCK_DATE_S, CLOCK_OUTPUT };
enum { PART_ALL, PART_S, PART_NS };
enum { ERRORS_ALL, ERRORS_FILE, ERRORS_NET, ERRORS_MEMORY, ERRORS_OTHER };
enum { BUFLEN_IN = 1, BUFLEN_OUT = 2, BUFLEN_FILE = 4, BUFLEN_NET = 8 };
enum { INFRA_NAME, INFRA_ID, INFRA_CONTAINER, INFRA_IMAGE };
enum field_attr { ATTR_COMM, ATTR_EXE, ATTR_EXEPATH, ATTR_CMDLINE };
enum { ID_VPID, ID_VTID, ID_SID, ID_VPGID, ID_PGID };
enum {
	SINCE_CLONE,
	SINCE_INO,
	SINCE_CTIME,
	SINCE_MTIME,
	SINCE_CTIME_CLONE,
	SINCE_CTIME_PIDNS,
	SINCE_PIDNS,
};
enum { EXE_WRITABLE, EXE_UPPER, EXE_LOWER, EXE_MEMFD };
enum { CAPS_PERMITTED, CAPS_INHERITABLE, CAPS_EFFECTIVE };
enum { VM_SIZE, VM_RSS, VM_SWAP, VM_PFMAJOR, VM_PFMINOR, VM_BYTES = 16 };
enum { CPU_USER = 1, CPU_SYSTEM = 2 };
enum { USER_NAME, USER_HOME, USER_SHELL, USER_LOGIN };
enum field_end { END_CLIENT, END_SERVER, END_LOCAL, END_REMOTE };
enum { DEV_ALL, DEV_MAJOR, DEV_MINOR };
enum { LAYER_UPPER, LAYER_LOWER };
enum { FS_NAME, FS_SOURCE, FS_TARGET, FS_RAW = 4 };
enum { FDLIST_NUMS, FDLIST_NAMES, FDLIST_CIPS, FDLIST_SIPS, FDLIST_CPORTS, FDLIST_SPORTS };
enum {
	CT_FULL_ID,
	CT_NAME,
	CT_IMAGE,
	CT_IMAGE_ID,
	CT_IMAGE_REPO,
	CT_IMAGE_TAG,
	CT_IMAGE_DIGEST,
	CT_IP,
	CT_CNI,
};
enum { CT_PRIVILEGED, CT_HOST_PID, CT_HOST_NETWORK, CT_HOST_IPC };
enum { MOUNT_ALL, MOUNT_SOURCE, MOUNT_DEST, MOUNT_MODE, MOUNT_RDWR, MOUNT_PROPAGATION };
enum { POD_NAME, POD_NAMESPACE, POD_UID };
enum {
	SYSLOG_FACILITY,
	SYSLOG_FACILITY_TEXT,
	SYSLOG_SEVERITY,
	SYSLOG_SEVERITY_TEXT,
	SYSLOG_MESSAGE,
};

/* All extractors. */
#define FIELD(name, cls, type, format, form, flags, extract, code, arg_help, help)                 \
	bool extract(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out);
#include "engine/filter/fields.def"
#undef FIELD
bool flt_x_static(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out);

/* A copy of cx->text that lives as long as the event's values; empty when out of memory. */
struct sv flt_keep_text(struct flt_ctx *cx);
/* Yield cx->text. */
bool flt_yield_built(struct flt_ctx *cx, struct flt_value *out);
/* Append the strings of @list with blanks between. */
void flt_join_list(struct buf *out, const struct state_list *list);

/* field_evt_arg.c: index of the parameter an instance of evt.arg or evt.rawarg names; false: none.
 */
bool flt_param_of_field(struct flt_ctx *cx, const struct flt_field *f, unsigned *i);

/* field_fd.c: fd.name, also of failed calls; false: absent. */
bool flt_fd_name(struct flt_ctx *cx, struct sv *out);
/* The event is one fd fields are defined on, and has a thread. */
bool flt_is_fd_event(struct flt_ctx *cx);
/* Its descriptor, or NULL. */
const struct state_fd *flt_event_fd(struct flt_ctx *cx);

static inline bool flt_is_ip_socket(const struct state_fd *fd) /* not listening */
{
	return state_fd_is_ipv4(fd) || state_fd_is_ipv6(fd);
}

/* field_proc.c */
struct sv flt_thread_attr(const struct state_thread *t, enum field_attr attr);
/* The strings of @list with blanks between; a single one is not copied. */
struct sv flt_joined_list(struct flt_ctx *cx, const struct state_list *list);
struct sv flt_env_text(struct flt_ctx *cx, const struct state_thread *t);

/* suggest.c: the field whose name is much like @name; NULL: none. */
const char *flt_field_suggest(struct sv name);

/* field_container.c: the compiled [REGEX] of a mount field. */
MUST_CHECK int flt_mount_pattern_new(struct flt_field *f, struct error *err);
void flt_mount_pattern_free(struct flt_field *f);

/* param_text.c, for an event with thread: base directory of a relative path in parameter @i ... */
struct sv flt_param_base(struct flt_ctx *cx, struct ev *ev, unsigned i, char room[STATE_PATH_MAX]);
/* ... and the full path, empty if the parameter is not a relative path. */
struct sv flt_full_path(struct flt_ctx *cx, struct ev *ev, unsigned i, char room[STATE_PATH_MAX]);
/* Parameter @i as evt.arg shows it, without copying where it is stored somewhere. */
struct sv flt_param_view(struct flt_ctx *cx, unsigned i);

/* bytes_text.c: bytes as the options say. */
void flt_bytes_text(const struct flt_options *opt, struct sv bytes, struct buf *out);

/* net_text.c */
void flt_ipv4_text(struct buf *out, const uint8_t addr[4]);
void flt_ipv6_text(struct buf *out, const uint8_t addr[16]);
void flt_addr_text(struct buf *out, struct sv addr); /* 4 or 16 bytes; nothing for other lengths */
void flt_sockaddr_text(struct buf *out, struct sv param);
void flt_socktuple_text(struct buf *out, struct sv param);

/* time.c: "YYYY-MM-DD HH:MM:SS", the day part of @ts shifted by @tz_offset_s. */
void flt_time_date(struct buf *out, uint64_t ts, int tz_offset_s);

#endif
