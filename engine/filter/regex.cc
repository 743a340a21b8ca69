/* SPDX-License-Identifier: Apache-2.0 */
extern "C" {
#include "engine/filter/regex.h"
}

#include <re2/re2.h>

#include <memory>
#include <new>

struct flt_regex {
	RE2 re;

	flt_regex(const re2::StringPiece &pattern, const RE2::Options &options)
	    : re(pattern, options)
	{
	}
};

int flt_regex_new(struct sv pattern, struct flt_regex **out, struct error *err)
{
	RE2::Options options(RE2::POSIX);

	options.set_log_errors(false);
	try {
		auto re = std::make_unique<flt_regex>(re2::StringPiece(pattern.p, pattern.n), options);

		if (!re->re.ok())
			return error_set(err, ERR_COMPILE, "invalid regular expression '%.*s': %s",
					 static_cast<int>(pattern.n), pattern.p,
					 re->re.error().c_str());
		*out = re.release();
		return 0;
	} catch (const std::bad_alloc &) {
		return error_nomem(err);
	}
}

void flt_regex_free(struct flt_regex *re)
{
	delete re;
}

bool flt_regex_matches(const struct flt_regex *re, struct sv text)
{
	re2::StringPiece value(text.p, text.n);

	return re->re.Match(value, 0, text.n, RE2::ANCHOR_BOTH, nullptr, 0);
}
