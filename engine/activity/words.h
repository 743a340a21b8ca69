/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person reads of processes, users and amounts: appended to a buffer as it stands in the
 * capture, so whoever shows it makes it harmless (base/escape.h). Threads: plain functions over the
 * state they are given.
 */
#ifndef ENGINE_ACTIVITY_WORDS_H
#define ENGINE_ACTIVITY_WORDS_H

#include "base/buf.h"
#include "engine/state/state.h"

/* The name as far as it is known then, else the number. EV_NO_ID: nothing. */
void act_user_text(struct buf *b, const struct state *st, const struct state_str *container,
		   uint32_t uid);
/* Name of the container, else its short id; nothing for the host. */
struct sv act_container_name(const struct state *st, struct sv id);
/* "pts/0", "tty1", "console", "ttyS0", else "MAJOR:MINOR"; nothing for 0. */
void act_tty_text(struct buf *b, uint32_t tty);
/* A process as a person typed it: the image's name and its arguments, quoted where they need it. */
void act_command_text(struct buf *b, const struct state_thread *t);
/* The same of an argument block: NUL-terminated strings, the last one without its NUL. */
void act_command_text_of(struct buf *b, struct sv exe, struct sv comm, struct sv args,
			 uint32_t count);
/* ["a","b"] */
void act_args_json(struct buf *b, struct sv args, uint32_t count);
/* "1.2s", "3m12s", "2d4h": 6 characters at most. */
void act_duration_text(struct buf *b, uint64_t ns);
/* "812", "1.2k", "3.4M": 5 characters at most. */
void act_size_text(struct buf *b, uint64_t n);
/* "O_RDWR|O_CREAT" of how a file was opened. */
void act_open_flags_text(struct buf *b, uint32_t flags);
/* Without the slash that the state puts at its end. */
struct sv act_directory(struct sv cwd);
/* The process's number; a placeholder's thread number. */
int64_t act_pid(const struct state_thread *t);
/* "exit 1", "SIGKILL", "SIGSEGV, core" of a wait(2) status; nothing for -1. */
void act_status_text(struct buf *b, int64_t status);

#endif
