/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/lib.h"

#include "archive/archive.h"
#include "base/library.h"

int arc_lib_load(struct arc_lib *lib, struct error *err)
{
	static const struct library_symbol symbols[] = {
#define X(name) {#name, offsetof(struct arc_lib, name)},
	    ARC_LIB(X)
#undef X
	};
	struct error why;
	int rc = library_load(ARC_LIB_SONAME, symbols, COUNT_OF(symbols), lib, &why);

	return rc < 0 ? error_set(err, rc, "archives need libarchive: %s", why.msg) : 0;
}

const char *arc_library_version(void)
{
	struct arc_lib lib;

	return arc_lib_load(&lib, NULL) == 0 ? lib.archive_version_details() : NULL;
}
