/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the scap format ("Block framing", "Limits", "Event blocks") that framing rests on. */
#ifndef SCAPFILE_FORMAT_H
#define SCAPFILE_FORMAT_H

enum sf_block_type {
	SF_SHB = 0x0a0d0d0a,
	SF_EV_V1 = 0x204, /* of old recorders */
	SF_EV_V2 = 0x216,
	SF_EVF_V2 = 0x217,
	SF_EV_V2_LARGE = 0x221,
	SF_EVF_V2_LARGE = 0x222,
};

#define SF_BLOCK_MIN	     12u /* type, length, trailing length */
#define SF_SHB_MIN	     28u
#define SF_SMALL_EVENT_MAX   (65536u + 8) /* total length of an event block that is not large */
#define SF_RESYNC_MAX	     (16u << 20) /* blocks larger than this are not looked for behind damage */
#define SF_SHB_MAGIC	     0x1a2b3c4du
#define SF_SHB_MAGIC_SWAPPED 0x4d3c2b1au
#define SF_MAJOR_MAX	     1
#define SF_HEADER_V1	     22 /* event header without a parameter count */
#define SF_HEADER_V2	     26

#endif
