/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of a command line, told apart as getopt(3) does. @options lists the option characters,
 * each followed by ":" if it takes an argument. Results are views into the arguments.
 */
#ifndef ENGINE_FILTER_GETOPT_H
#define ENGINE_FILTER_GETOPT_H

#include "engine/filter/internal.h"

/*
 * Every option character and every option's argument, in order; "?" for unknown options, "" for a
 * missing argument. Return: how many there are. @out receives them unless it is NULL.
 */
uint32_t flt_getopt_list(const struct flt_datum *args, uint32_t count,
			 const struct flt_datum *options, struct flt_datum *out);
/*
 * What the last occurrence of @option says: its argument, "" if that is missing, or for an option
 * without argument the character itself. False: it does not occur.
 */
bool flt_getopt_last(const struct flt_datum *args, uint32_t count, const struct flt_datum *options,
		     char option, struct flt_datum *out);

#endif
