/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libarchive, loaded when it is needed: it brings along libraries whose loading costs every start
 * of the program more than all others together.
 */
#ifndef ARCHIVE_LIB_H
#define ARCHIVE_LIB_H

#include <archive.h>
#include <archive_entry.h>

#include "base/error.h"

#define ARC_LIB_SONAME "libarchive.so.13"

#define ARC_LIB(X)                                                                                 \
	X(archive_version_details)                                                                 \
	X(archive_error_string)                                                                    \
	X(archive_read_new)                                                                        \
	X(archive_read_free)                                                                       \
	X(archive_read_support_filter_gzip)                                                        \
	X(archive_read_support_filter_bzip2)                                                       \
	X(archive_read_support_filter_xz)                                                          \
	X(archive_read_support_filter_zstd)                                                        \
	X(archive_read_support_filter_lz4)                                                         \
	X(archive_read_support_format_tar)                                                         \
	X(archive_read_support_format_zip)                                                         \
	X(archive_read_support_format_7zip)                                                        \
	X(archive_read_support_format_raw)                                                         \
	X(archive_read_set_read_callback)                                                          \
	X(archive_read_set_seek_callback)                                                          \
	X(archive_read_set_skip_callback)                                                          \
	X(archive_read_set_callback_data)                                                          \
	X(archive_read_open1)                                                                      \
	X(archive_read_next_header)                                                                \
	X(archive_read_data)                                                                       \
	X(archive_filter_bytes)                                                                    \
	X(archive_filter_count)                                                                    \
	X(archive_filter_code)                                                                     \
	X(archive_format)                                                                          \
	X(archive_format_name)                                                                     \
	X(archive_entry_pathname_utf8)                                                             \
	X(archive_entry_filetype)                                                                  \
	X(archive_entry_hardlink_utf8)                                                             \
	X(archive_entry_hardlink)                                                                  \
	X(archive_entry_size)                                                                      \
	X(archive_entry_size_is_set)                                                               \
	X(archive_entry_sparse_count)                                                              \
	X(archive_entry_is_encrypted)                                                              \
	X(archive_write_new)                                                                       \
	X(archive_write_free)                                                                      \
	X(archive_write_close)                                                                     \
	X(archive_write_set_format_pax_restricted)                                                 \
	X(archive_write_set_format_zip)                                                            \
	X(archive_write_set_options)                                                               \
	X(archive_write_set_bytes_in_last_block)                                                   \
	X(archive_write_open)                                                                      \
	X(archive_write_header)                                                                    \
	X(archive_write_data)                                                                      \
	X(archive_entry_new)                                                                       \
	X(archive_entry_free)                                                                      \
	X(archive_entry_clear)                                                                     \
	X(archive_entry_set_pathname_utf8)                                                         \
	X(archive_entry_set_filetype)                                                              \
	X(archive_entry_set_perm)                                                                  \
	X(archive_entry_set_size)                                                                  \
	X(archive_entry_set_mtime)

/* Functions by the names they have there. */
struct arc_lib {
#define X(name) __typeof__(name) *name;
	ARC_LIB(X)
#undef X
};

/* Return: 0, or ERR_UNSUPPORTED. */
MUST_CHECK int arc_lib_load(struct arc_lib *lib, struct error *err);

#endif
