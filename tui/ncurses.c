/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/ncurses.h"

#include "base/library.h"
#include "tui/tui.h"

int ncurses_load(struct ncurses *lib, struct error *err)
{
	static const struct library_symbol symbols[] = {
#define X(name) {#name, offsetof(struct ncurses, name)},
	    NCURSES_FUNCTIONS(X) NCURSES_OBJECTS(X)
#undef X
	};
	struct error why;
	int rc = library_load(NCURSES_SONAME, symbols, COUNT_OF(symbols), lib, &why);

	return rc < 0 ? error_set(err, rc,
				  "the terminal's library cannot be loaded (%s): install "
				  "libncursesw6; 'scapula tui --plain' and '--headless' work "
				  "without it",
				  why.msg)
		      : 0;
}

const char *tui_library_version(void)
{
	struct ncurses lib;

	return ncurses_load(&lib, NULL) == 0 ? lib.curses_version() : NULL;
}
