/* SPDX-License-Identifier: Apache-2.0 */
/* Entries in the custody log that SCAPULA_CUSTODY names, made by commands that make evidence. */
#ifndef CLI_CUSTODY_H
#define CLI_CUSTODY_H

#include "bundle/custody.h"
#include "cli/cli.h"

struct cli_recording;

#define CLI_CUSTODY_ENV "SCAPULA_CUSTODY"
#define CLI_ACTOR_ENV	"SCAPULA_ACTOR"

/* Is there a log that entries go to? */
bool cli_custody_wanted(void);
/*
 * Add @e to the log @path (NULL: the one of the environment; none: nothing is done). Time, tool and
 * actor are filled in; inputs and outputs without a hash are read for it, but what is no file.
 * Return: 0, or an exit status (told).
 */
int cli_custody_note(const char *path, struct custody_entry *e);
/*
 * An entry about @output, which was made of the files @inputs. @output: NULL or "-" if nothing that
 * stays was made. @reason may be NULL. Return: 0, or an exit status (told).
 */
int cli_custody_made(enum custody_action action, const char *const *inputs, size_t ninputs,
		     const char *output, const char *reason, int argc, char **argv);
/* The files that were recorded. Return: likewise. */
int cli_custody_recorded(const struct cli_recording *r);
/* The operands from argv[first] on that are files are about to be read. Return: as above. */
int cli_custody_opened(int argc, char **argv, int first);
/* Fill in size and hash of the file @f->name. Return: 0 or an exit status (told). */
int cli_custody_hash(struct custody_file *f);

#endif
