/* SPDX-License-Identifier: Apache-2.0 */
/* The seal of a recording, as options say. Shared by record and live through cli/recording.h. */
#ifndef CLI_SEALING_H
#define CLI_SEALING_H

#include "capture/recorder.h"
#include "cli/cli.h"
#include "scapfile/writer.h"

enum { /* ids of the options below */
       OPT_NO_SEAL = OPT_COMMAND_FIRST + 160,
       OPT_SEAL_KEY,
       OPT_SEAL_TO,
};

/* clang-format off */
#define CLI_SEALING_OPTIONS \
	{OPT_NO_SEAL, "no-seal", NULL, "write no FILE.seal that shows later changes"}, \
	{OPT_SEAL_KEY, "seal-key", "FILE", \
	 "tag the seal with a key that goes to this new file, to be kept elsewhere"}, \
	{OPT_SEAL_TO, "seal-to", "FILE", "append what the seal has come to every 10 s"}
/* clang-format on */

struct cli_sealing {
	bool off;
	int argc; /* the command line, which the seal keeps */
	char **argv;
	struct sf_seal_options opt;
	struct buf config;
};

/* Take one of CLI_SEALING_OPTIONS. Return: 0, or -1 if it is none of them. */
int cli_sealing_take(struct cli_sealing *s, int id, const char *value);
/*
 * Have @w write seals, unless they are not wanted. They tell what @rec (which may be NULL) and @w
 * have been asked for. Return: 0 or an exit status (told).
 */
int cli_sealing_begin(struct cli_sealing *s, const char *path, const struct rec_options *rec,
		      struct sf_writer_options *w);
/* Nothing was recorded into @path: delete what was created for its seal. */
void cli_sealing_discard(const struct cli_sealing *s, const char *path);
void cli_sealing_done(struct cli_sealing *s);

#endif
