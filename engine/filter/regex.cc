/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter/regex.h"

#include <cstdio>
#include <memory>
#include <new>

#include <re2/re2.h>

struct flt_regex {
	RE2 re;

	flt_regex(const re2::StringPiece &pattern, const RE2::Options &options)
	    : re(pattern, options)
	{
	}
};

struct flt_regex *flt_regex_new(const char *pattern, size_t n, char *why, size_t size)
{
	RE2::Options options(RE2::POSIX);

	options.set_log_errors(false);
	why[0] = '\0';
	try {
		auto re = std::make_unique<flt_regex>(re2::StringPiece(pattern, n), options);

		if (re->re.ok())
			return re.release();
		std::snprintf(why, size, "%s", re->re.error().c_str());
	} catch (const std::bad_alloc &) {
	}
	return nullptr;
}

void flt_regex_free(struct flt_regex *re)
{
	delete re;
}

bool flt_regex_matches(const struct flt_regex *re, const char *text, size_t n)
{
	return re->re.Match(re2::StringPiece(text, n), 0, n, RE2::ANCHOR_BOTH, nullptr, 0);
}
