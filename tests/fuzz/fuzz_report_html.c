/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTML report of a case whose texts are the input: it is made of elements, attributes and
 * entities of ours alone, all closed in order; and there are just as many tags as with texts that
 * have no markup at all.
 */
#include "tests/fuzz/report_case.h"

#include <ctype.h>

#define OPEN_MAX 4096 /* elements inside of each other */

static const char *const void_elements[] = {"meta", "rect", "line"};
static const char *const elements[] = {
    "html",   "head",	    "body",  "title", "style", "script", "a",	"header",  "main",
    "footer", "section",    "nav",   "h1",    "h2",    "h3",	 "h4",	"p",	   "ul",
    "ol",     "li",	    "div",   "span",  "bdi",   "code",	 "pre", "b",	   "time",
    "table",  "caption",    "thead", "tbody", "tr",    "th",	 "td",	"details", "summary",
    "figure", "figcaption", "svg",   "g",     "text"};

static bool is_one_of(struct sv s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (sv_is(s, names[i]))
			return true;
	return false;
}

static struct sv take_word(struct sv *s)
{
	size_t n = 0;

	while (n < s->n && (isalnum((unsigned char)s->p[n]) || s->p[n] == '-'))
		n++;
	*s = sv_drop(*s, n);
	return sv_make(s->p - n, n);
}

/* Attributes up to the end of the tag. Return: true if it ends with "/>". */
static bool take_attributes(struct sv *s)
{
	for (;;) {
		struct sv name;
		const char *end;

		if (sv_starts(*s, SV_LIT("/>"))) {
			*s = sv_drop(*s, 2);
			return true;
		}
		if (s->n && s->p[0] == '>') {
			*s = sv_drop(*s, 1);
			return false;
		}
		report_must(s->n && s->p[0] == ' ', "no blank before an attribute");
		*s = sv_drop(*s, 1);
		name = take_word(s);
		report_must(name.n > 0, "an attribute without a name");
		report_must(!sv_starts(name, SV_LIT("on")) && !sv_is(name, "style"),
			    "an attribute that acts");
		if (!s->n || s->p[0] != '=')
			continue;
		report_must(sv_starts(*s, SV_LIT("=\"")), "a value without quotation marks");
		*s = sv_drop(*s, 2);
		end = memchr(s->p, '"', s->n);
		report_must(end != NULL, "a value without an end");
		if (sv_is(name, "href"))
			report_must(s->p[0] == '#', "a link to elsewhere");
		for (const char *p = s->p; p < end; p++)
			report_must(*p != '<' && *p != '>' && *p != '&', "markup in a value");
		*s = sv_drop(*s, (size_t)(end - s->p) + 1);
	}
}

static void take_entity(struct sv *s)
{
	static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (sv_starts(*s, sv_of(names[i]))) {
			*s = sv_drop(*s, strlen(names[i]));
			return;
		}
	}
	report_must(false, "an ampersand that begins nothing of ours");
}

/* Style and script are ours: up to their end. */
static void skip_raw(struct sv *s, const char *end)
{
	const char *at = memmem(s->p, s->n, end, strlen(end));

	report_must(at != NULL, "no end of style or script");
	*s = sv_drop(*s, (size_t)(at - s->p));
}

static void check_html(struct sv s)
{
	static struct sv open[OPEN_MAX];
	size_t depth = 0;

	report_must(sv_starts(s, SV_LIT("<!DOCTYPE html>")), "no document type");
	s = sv_drop(s, 15);
	while (s.n) {
		bool closing;
		struct sv name;

		if (s.p[0] == '&') {
			take_entity(&s);
			continue;
		}
		report_must(s.p[0] != '>', "a bracket that ends nothing");
		if (s.p[0] != '<') {
			s = sv_drop(s, 1);
			continue;
		}
		closing = sv_starts(s, SV_LIT("</"));
		s = sv_drop(s, closing ? 2 : 1);
		name = take_word(&s);
		if (closing) {
			report_must(depth && sv_eq(open[depth - 1], name), "closed out of order");
			report_must(sv_starts(s, SV_LIT(">")), "an end with more in it");
			s = sv_drop(s, 1);
			depth--;
			continue;
		}
		if (is_one_of(name, void_elements, COUNT_OF(void_elements))) {
			take_attributes(&s);
			continue;
		}
		report_must(is_one_of(name, elements, COUNT_OF(elements)), "an unknown element");
		report_must(!take_attributes(&s), "an element that closes itself");
		report_must(depth < OPEN_MAX, "too deep");
		open[depth++] = name;
		if (sv_is(name, "style"))
			skip_raw(&s, "</style>");
		if (sv_is(name, "script"))
			skip_raw(&s, "</script>");
	}
	report_must(depth == 0, "not all is closed");
}

static size_t count(struct sv s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == c;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buf wild, tame, text;
	const struct rep_options opt = {
	    .made = -1, .everything = size % 4 == 0, .title = "a title"};

	buf_reset(&wild);
	buf_reset(&tame);
	buf_reset(&text);
	report_of(data, size, &opt, rep_write_html, &wild);
	report_check_text(buf_view(&wild));
	check_html(buf_view(&wild));
	report_tame(data, size, "<&\"'", &text);
	if (text.len == size && (!size || memcmp(text.p, data, size) == 0))
		return 0;
	report_of((const uint8_t *)text.p, text.len, &opt, rep_write_html, &tame);
	report_must(count(buf_view(&wild), '<') == count(buf_view(&tame), '<') &&
			count(buf_view(&wild), '"') == count(buf_view(&tame), '"'),
		    "a text became markup");
	return 0;
}
