/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Falco's configuration as far as replaying captures uses it: a YAML file and key=value overrides.
 * Keys that only concern live capture or other channels are accepted and ignored. Ownership:
 * everything a configuration points to lives in its arena.
 */
#ifndef REPLAY_CONFIG_H
#define REPLAY_CONFIG_H

#include "replay/replay.h"

#define RUN_CONFIG_BYTES_MAX (4u << 20) /* of one configuration file */

struct run_config {
	struct arena arena;
	const char **rules_files; /* @rules_count of them, in order */
	size_t rules_count;
	struct rule_select *select;
	size_t select_count;
	struct rule_append_output *append;
	size_t append_count;
	struct flt_static *statics; /* ends with a NULL name */
	size_t static_count;
	enum rule_priority priority;
	bool match_all;
	bool json_output;
	struct run_alert_format format;
	bool base64_buffers;
	bool stdout_enabled;
	bool file_enabled;
	const char *file_name;
	const char *unused[16]; /* enabled channels that a replay does not serve; NULL-terminated */
};

/* Falco's shipped settings: text on stdout, suggested output fields appended, all priorities, first
 * match. */
MUST_CHECK int run_config_init(struct run_config *c, struct error *err);
void run_config_done(struct run_config *c);
/*
 * Read @path (NULL: none) and apply @overrides ("json_output=true", "rules[].disable.tag=network"),
 * in order. Errors: ERR_USAGE with file, line and column or with the override's text; ERR_IO.
 */
MUST_CHECK int run_config_load(struct run_config *c, const char *path, const char *const *overrides,
			       size_t count, struct error *err);
/* Append what alerts depend on of it besides rules and their selection, as text; what is as shipped
 * is not mentioned. */
void run_config_describe(const struct run_config *c, struct buf *b);

#endif
