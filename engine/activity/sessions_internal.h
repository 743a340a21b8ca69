/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that follow sessions. */
#ifndef ENGINE_ACTIVITY_SESSIONS_INTERNAL_H
#define ENGINE_ACTIVITY_SESSIONS_INTERNAL_H

#include "engine/activity/sessions.h"
#include "engine/activity/texts.h"

#define ACT_OWNER_STEPS	 64  /* forks without an image between a command and its shell */
#define ACT_ORIGIN_STEPS 8   /* ancestors looked at for where a session comes from */
#define ACT_ORIGIN_FDS	 256 /* descriptors of each looked at */
#define ACT_CLIMB_STEPS	 256 /* ancestors looked at for the oldest one without a session */
#define ACT_RUNNING_MAX	 64  /* commands of one shell watched for going to the background */

struct act_member;

struct act_cmd {		      /* a command with what following it needs */
	struct act_command pub;	      /* first member */
	struct act_cmd *image_before; /* of the same process */
	struct act_cmd *next_pending; /* of the same shell, kind not settled */
	int64_t vpgid;
};

struct act_sess {
	struct act_session pub; /* first member */
	struct act_sess *prev, *next;
	struct act_cmd *last_command;
	struct act_sess *up;
	struct sv listed; /* its name in act_sessions.by_sid, if it was put there */
	uint64_t walk;	  /* by which way up it was visited last */
	bool complete;	  /* of the initial list: nothing more is to be learned there */
	uint32_t kids;	  /* sessions whose parent it is */
};

struct act_member {		  /* a process */
	struct act_sess *sess;	  /* NULL: none known */
	struct act_cmd *cmd;	  /* the command it is part of */
	struct act_cmd *own;	  /* its own image's */
	struct act_cmd *pending;  /* commands that count only if it shows no jobs */
	struct act_cmd **running; /* NULL, or ACT_RUNNING_MAX places */
	unsigned running_count;
	int64_t tid, pid, pgid, vpgid; /* groups: -1 if not known */
	uint32_t uid;		       /* before its next image */
	bool in_pidns;
	bool imaged; /* runs an image of its own: not a mere fork */
	bool jobs;   /* it controls jobs */
	bool ended;  /* its main thread's exit was seen */
	bool reads_tty;
};

struct act_sessions {
	struct act_sessions_options opt;
	struct act_sessions_stats stats;
	struct pool pool;
	struct act_texts texts;
	struct map members; /* main thread -> struct act_member */
	struct smap by_sid; /* "container sid" of the initial list -> struct act_sess */
	struct act_sess *first, *last;
	uint64_t last_id;
	uint32_t session_count, command_count;
	bool started; /* sessions of the initial list are complete */
};

/* sessions.c */
struct act_member *act_member_find(const struct act_sessions *x, const struct state_thread *t);
struct sv act_user_name(struct act_sessions *x, const struct state *st,
			const struct state_thread *t, uint32_t uid);

/* @s is the last one from now on. */
void act_session_append(struct act_sessions *x, struct act_sess *s);

/* sessions_commands.c */
/* @c is the last one of @s from now on. */
void act_command_append(struct act_sessions *x, struct act_sess *s, struct act_cmd *c);
/* The nearest ancestor with an image of its own; NULL: none known. */
const struct state_thread *act_shell_of(const struct act_sessions *x, const struct state *st,
					const struct state_thread *t, struct act_member **shell);
/* @t runs a new image, or (@ev NULL) was running when the capture began. */
void act_command_add(struct act_sessions *x, const struct state *st, const struct state_thread *t,
		     struct act_member *m, const struct ev *ev);
void act_command_exit(struct act_sessions *x, struct act_member *m, const struct ev *ev,
		      int64_t status, bool main_thread);
/* Its record goes: with or without an exit having been seen. */
void act_command_gone(struct act_sessions *x, struct act_member *m);
/* The process controls jobs: what it started within its own group was not typed. */
void act_member_has_jobs(struct act_member *m);

/* sessions_origin.c */
void act_session_origin(struct act_sessions *x, const struct state *st,
			const struct state_thread *leader, struct act_sess *s);

#endif
