/* SPDX-License-Identifier: Apache-2.0 */
/* What a case can be asked: saved queries, tables and columns. For cli/ only. */
#ifndef CLI_QUERY_HELP_H
#define CLI_QUERY_HELP_H

/* All of them with what they are, or the named ones in full. Return: an exit status. */
int query_help_saved(char **names, int count);
int query_help_schema(char **names, int count);

#endif
