/* SPDX-License-Identifier: Apache-2.0 */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

int library_load(const char *soname, const struct library_symbol *symbols, size_t n, void *table,
		 struct error *err)
{
	/* Further calls find it. */
	void *handle = dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	size_t found = 0;

	if (!handle)
		return error_set(err, ERR_UNSUPPORTED, "%s", dlerror());
	for (; found < n; found++) {
		void *p = dlsym(handle, symbols[found].name);

		if (!p)
			break;
		/* A pointer to an object is none to a function in C, but dlsym() gives nothing
		 * else. */
		memcpy((char *)table + symbols[found].at, &p, sizeof(p));
	}
	dlclose(handle);
	if (found < n)
		return error_set(err, ERR_UNSUPPORTED, "%s is too old: it lacks %s", soname,
				 symbols[found].name);
	return 0;
}
