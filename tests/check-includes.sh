#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Holds the code to the dependency order: a folder includes itself and folders of earlier rows, never a later one,
# never another folder of its own row, and only public headers of other folders. Every header compiles alone.
set -euo pipefail
cd "$(dirname "$0")/.."

rows=("base" "archive" "scapfile" "engine/state" "engine/filter" "engine/activity" "engine/rules" "engine/plugin" "capture" "query" "report" "bundle" "replay" "sqlext" "regress" "tui" "cli")
# capture/ records where no rules exist: it uses nothing of the engine.
forbidden=("capture:engine/")
declare -A rank
for i in "${!rows[@]}"; do rank[${rows[$i]}]=$i; done

folder_of() { # PATH -> folder, longest match
	local best="" f
	for f in "${rows[@]}"; do
		[[ $1 == "$f"/* && ${#f} -gt ${#best} ]] && best=$f
	done
	echo "$best"
}

bad=0
count=0
while read -r file; do
	from=$(folder_of "$file")
	[ -n "$from" ] || continue
	count=$((count + 1))
	while IFS=: read -r line include; do
		target=$(sed -n 's/.*"\([^"]*\)".*/\1/p' <<<"$include")
		to=$(folder_of "$target")
		if [ -z "$to" ]; then
			echo "$file:$line: include \"$target\" is not under a known folder"
			bad=1
		elif [ "${rank[$to]}" -gt "${rank[$from]}" ]; then
			[[ $file == */tests/* ]] && continue # a test may use what it tests with
			echo "$file:$line: $from/ may not include $to/ (\"$target\")"
			bad=1
		elif [ "$to" != "$from" ] && [[ $target == */internal.h ]]; then
			echo "$file:$line: $target is internal to $to/"
			bad=1
		fi
		for rule in "${forbidden[@]}"; do
			if [ "$from" = "${rule%%:*}" ] && [[ $target == ${rule#*:}* ]]; then
				echo "$file:$line: $from/ may not include ${rule#*:} (\"$target\")"
				bad=1
			fi
		done
	done < <(grep -n '^#include "' "$file" || true)
done < <(git ls-files '*.c' '*.h' '*.cc'; git ls-files -o --exclude-standard '*.c' '*.h' '*.cc')

generated=${1:-build/dev/generated}
test_prelude='#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>'
for header in $(git ls-files '*.h'); do
	[[ $header == capture/bpf/* ]] && continue # compiled for the bpf target, see capture/CMakeLists.txt
	prelude=
	[[ $header == */tests/* ]] && prelude=$test_prelude # what every test includes first
	${CC:-gcc} -std=c17 -D_GNU_SOURCE -I. -I"$generated" -Wall -Wextra -Werror -fsyntax-only -x c - \
		<<<"$prelude"$'\n'"#include \"$header\"" || {
		echo "$header does not compile alone"
		bad=1
	}
done
[ "$count" -gt 0 ] || { echo "no source files found"; exit 1; }
[ $bad -eq 0 ] && echo "include order: $count files in order"
exit $bad
