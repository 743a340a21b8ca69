/* SPDX-License-Identifier: Apache-2.0 */
/* A directory under $TMPDIR that nobody else looks into, for one file that has to be written. */
#ifndef CLI_SCRATCH_H
#define CLI_SCRATCH_H

struct cli_scratch { /* zeroed storage */
	char *dir;
	char *file; /* in it, not there yet */
};

/* Return: 0 or an exit status (told). */
int cli_scratch_make(struct cli_scratch *s);
/* Remove it with the file, and what SQLite puts beside it. */
void cli_scratch_done(struct cli_scratch *s);

#endif
