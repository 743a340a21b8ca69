/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/lib.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#include "archive/archive.h"

/* A pointer to an object is none to a function in C, but dlsym() gives nothing else. */
static bool find(void *handle, const char *name, void *to)
{
	void *p = dlsym(handle, name);

	memcpy(to, &p, sizeof(p));
	return p != NULL;
}

int arc_lib_load(struct arc_lib *lib, struct error *err)
{
	/* Loaded once, it stays; further calls find it. */
	void *handle = dlopen(ARC_LIB_SONAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	bool all = handle;

	if (!handle)
		return error_set(err, ERR_UNSUPPORTED, "archives need libarchive: %s", dlerror());
#define X(name) all = all && find(handle, #name, &lib->name);
	ARC_LIB(X)
#undef X
	dlclose(handle);
	if (!all)
		return error_set(err, ERR_UNSUPPORTED, "%s is too old", ARC_LIB_SONAME);
	return 0;
}

const char *arc_library_version(void)
{
	struct arc_lib lib;

	return arc_lib_load(&lib, NULL) == 0 ? lib.archive_version_details() : NULL;
}
