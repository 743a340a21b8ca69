/* SPDX-License-Identifier: Apache-2.0 */
/* What is compiled in. */
#include <cjson/cJSON.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <yaml.h>
#include <zlib.h>
#include <zstd.h>

#include "archive/archive.h"
#include "capture/recorder.h"
#include "cli/cli.h"
#include "tui/tui.h"

void cli_print_version(void)
{
	const char *archive = arc_library_version(), *ncurses = tui_library_version();

	printf("scapula %s\n", SCAPULA_VERSION);
	printf("rule engine     %s (Falco rule language)\n", RULE_ENGINE_VERSION);
	printf("event table     %d event types, %d system calls\n", EV_TYPE_COUNT,
	       EV_SYSCALL_COUNT);
	printf("fields          %zu\n", flt_field_count);
	printf("case schema     %d\n", QRY_SCHEMA_VERSION);
	printf("zlib            %s\n", zlibVersion());
	printf("zstd            %s\n", ZSTD_versionString());
	printf("sqlite          %s\n", sqlite3_libversion());
	printf("libyaml         %s\n", yaml_get_version_string());
	printf("re2             built in, POSIX syntax\n");
	printf("cjson           %s\n", cJSON_Version());
	printf("libcrypto       %s\n", OpenSSL_version(OPENSSL_VERSION_STRING));
	printf("libarchive      %s\n", archive ? archive : "not there");
	printf("libbpf          %s\n", rec_library_version());
	printf("ncurses         %s\n", ncurses ? ncurses : "not there");
}
