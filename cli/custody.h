/* SPDX-License-Identifier: Apache-2.0 */
/* Entries in the custody log that SCAPULA_CUSTODY names, made by commands that make evidence. */
#ifndef CLI_CUSTODY_H
#define CLI_CUSTODY_H

#include "bundle/custody.h"
#include "cli/cli.h"

#define CLI_CUSTODY_ENV "SCAPULA_CUSTODY"
#define CLI_ACTOR_ENV	"SCAPULA_ACTOR"

/*
 * Add @e to the log @path (NULL: the one of the environment; none: nothing is done). Time, tool and
 * actor are filled in; outputs without a hash are read for it. Return: 0, or an exit status (told).
 */
int cli_custody_note(const char *path, struct custody_entry *e);
/* Fill in size and hash of the file @f->name. Return: 0 or an exit status (told). */
int cli_custody_hash(struct custody_file *f);

#endif
