/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter/constant.h"

#include <arpa/inet.h>
#include <netdb.h>

#define SERVICE_BUFFER_SIZE 1024

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int refuse(struct sv text, const char *expected, struct error *err)
{
	return error_set(err, ERR_COMPILE, "'%.*s' is not %s", (int)(text.n < 64 ? text.n : 64),
			 text.p, expected);
}

/* Digits only, all of @s; too large values become UINT64_MAX. */
static bool parse_digits(struct sv s, uint64_t *out)
{
	bool overflow = false;
	uint64_t u = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return false;
		overflow |= __builtin_mul_overflow(u, 10u, &u) ||
			    __builtin_add_overflow(u, (unsigned)(s.p[i] - '0'), &u);
	}
	*out = overflow ? UINT64_MAX : u;
	return s.n != 0;
}

/* A decimal number as C's scanf takes it: white space, a sign, digits, and nothing after. */
static bool parse_decimal(struct sv s, bool *negative, uint64_t *magnitude)
{
	while (s.n && is_space(s.p[0]))
		s = sv_drop(s, 1);
	*negative = s.n && s.p[0] == '-';
	if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
		s = sv_drop(s, 1);
	return parse_digits(s, magnitude);
}

/* 64 bits saturate. */
static int64_t to_signed(bool negative, uint64_t magnitude)
{
	if (negative)
		return magnitude > INT64_MAX ? INT64_MIN : -(int64_t)magnitude;
	return magnitude > INT64_MAX ? INT64_MAX : (int64_t)magnitude;
}

/* Negative numbers wrap, too large ones saturate. */
static uint64_t to_unsigned(bool negative, uint64_t magnitude)
{
	return negative && magnitude != UINT64_MAX ? 0 - magnitude : magnitude;
}

/* Narrow types keep the low bits, as the event's own parameter would. */
static void parse_number_as(struct flt_const *c, unsigned ptype, bool negative, uint64_t magnitude)
{
	unsigned width = ev_ptype_width(ptype);

	switch (flt_type_class(ptype)) {
	case FLT_CLASS_DOUBLE:
		c->value.d = (int32_t)to_signed(negative, magnitude);
		break;
	case FLT_CLASS_SIGNED:
		c->value.i = to_signed(negative, magnitude);
		if (width == 1)
			c->value.i = (int8_t)c->value.i;
		else if (width == 2)
			c->value.i = (int16_t)c->value.i;
		else if (width == 4)
			c->value.i = (int32_t)c->value.i;
		break;
	default:
		c->value.u = to_unsigned(negative, magnitude);
		if (width && width < 8)
			c->value.u &= (1ull << 8 * width) - 1;
	}
}

static int parse_number(struct flt_const *c, unsigned ptype, struct sv text, struct error *err)
{
	uint64_t magnitude;
	bool negative;

	if (!parse_decimal(text, &negative, &magnitude))
		return refuse(text, "a decimal number", err);
	parse_number_as(c, ptype, negative, magnitude);
	return 0;
}

/* A service's name, in any protocol. @name is NUL-terminated. */
static bool find_service(const char *name, uint64_t *port)
{
	char buffer[SERVICE_BUFFER_SIZE];
	struct servent entry, *found = NULL;

	if (getservbyname_r(name, NULL, &entry, buffer, sizeof(buffer), &found) != 0 || !found)
		return false;
	*port = ntohs((uint16_t)entry.s_port);
	return true;
}

static int parse_port(struct flt_const *c, struct sv text, struct error *err)
{
	char name[FLT_CONSTANT_MAX + 1];

	if (!text.n) {
		c->value.u = 0;
		return 0;
	}
	if (parse_digits(text, &c->value.u))
		return c->value.u <= UINT16_MAX ? 0 : refuse(text, "a port number", err);
	if (text.n >= sizeof(name))
		return refuse(text, "a port number or the name of a service", err);
	memcpy(name, text.p, text.n);
	name[text.n] = '\0';
	if (!find_service(name, &c->value.u))
		return refuse(text, "a port number or the name of a service", err);
	return 0;
}

static int parse_bool(struct flt_const *c, struct sv text, struct error *err)
{
	c->value.u = sv_is(text, "true");
	return c->value.u || sv_is(text, "false") ? 0 : refuse(text, "'true' or 'false'", err);
}

/* A text with a dot is IPv4, any other IPv6: the mixed notation is not accepted. */
static bool parse_address_text(struct flt_const *c, struct sv text)
{
	char copy[INET6_ADDRSTRLEN];
	int family = AF_INET6;

	if (text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (strchr(copy, '.'))
		family = AF_INET;
	if (inet_pton(family, copy, c->addr) != 1)
		return false;
	c->value.p = (const char *)c->addr;
	c->value.n = family == AF_INET ? 4 : 16;
	return true;
}

static int parse_address(struct flt_const *c, unsigned ptype, struct sv text, struct error *err)
{
	bool wrong_family;

	if (!parse_address_text(c, text))
		return refuse(text, "an IP address", err);
	wrong_family =
	    (ptype == PT_IPV4ADDR && c->value.n != 4) || (ptype == PT_IPV6ADDR && c->value.n != 16);
	return wrong_family ? refuse(text, "an address of the right family", err) : 0;
}

static int parse_network(struct flt_const *c, struct sv text, struct error *err)
{
	const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
	size_t before = slash ? (size_t)(slash - text.p) : 0;
	uint64_t bits;
	bool v4;

	if (!slash || !parse_address_text(c, sv_make(text.p, before)) ||
	    !parse_digits(sv_drop(text, before + 1), &bits))
		return refuse(text, "an IP network like 10.0.0.0/8", err);
	v4 = c->value.n == 4;
	if (bits > (v4 ? 32 : 128) || (!v4 && !bits))
		return refuse(text,
			      v4 ? "a network: the prefix must be 0 to 32"
				 : "a network: the prefix must be 1 to 128",
			      err);
	c->prefix = (uint8_t)bits;
	return 0;
}

static int check_length(size_t n, struct error *err)
{
	if (n > FLT_CONSTANT_MAX)
		return error_set(err, ERR_COMPILE, "constant too long: %zu bytes, at most %d", n,
				 FLT_CONSTANT_MAX);
	return 0;
}

int flt_const_parse(struct flt_const *c, unsigned ptype, struct sv text, struct error *err)
{
	enum flt_class class = flt_type_class(ptype);

	*c = (struct flt_const){.text = text};
	if (class != FLT_CLASS_BYTES && text.n && memchr(text.p, '\0', text.n))
		return error_set(err, ERR_COMPILE, "constant with a NUL byte");
	if (ptype == PT_PORT)
		return parse_port(c, text, err);
	switch (class) {
	case FLT_CLASS_SIGNED:
	case FLT_CLASS_UNSIGNED:
	case FLT_CLASS_DOUBLE:
		return parse_number(c, ptype, text, err);
	case FLT_CLASS_BOOL:
		return parse_bool(c, text, err);
	case FLT_CLASS_TEXT:
	case FLT_CLASS_BYTES:
		c->value.p = text.p;
		c->value.n = text.n;
		return check_length(text.n, err);
	case FLT_CLASS_ADDR:
		return parse_address(c, ptype, text, err);
	case FLT_CLASS_NET:
		return parse_network(c, text, err);
	case FLT_CLASS_OTHER:
		break;
	}
	return error_set(err, ERR_COMPILE, "values of this type cannot be compared with constants");
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int flt_const_parse_hex(struct flt_const *c, struct sv text, struct arena *arena, struct error *err)
{
	size_t n = text.n / 2;
	char *bytes;

	*c = (struct flt_const){.text = text};
	if (check_length(n, err) < 0)
		return ERR_COMPILE;
	bytes = arena_alloc(arena, n);
	if (!bytes)
		return error_nomem(err);
	for (size_t i = 0; i < n; i++) {
		int high = hex_value(text.p[2 * i]), low = hex_value(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return refuse(text, "an even number of hex digits", err);
		bytes[i] = (char)(high << 4 | low);
	}
	c->value.p = bytes;
	c->value.n = n;
	return text.n % 2 ? refuse(text, "an even number of hex digits", err) : 0;
}
