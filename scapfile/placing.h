/* SPDX-License-Identifier: Apache-2.0 */
/* When a file that is written gets its name. */
#ifndef SCAPFILE_PLACING_H
#define SCAPFILE_PLACING_H

enum sf_placing {
	SF_PLACE_NEW,	  /* from the start; there must not be one of that name */
	SF_PLACE_REPLACE, /* when it is complete, instead of the one that is there */
	SF_PLACE_LATER,	  /* when it is complete and the caller says so */
};

#endif
