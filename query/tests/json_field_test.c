/* SPDX-License-Identifier: Apache-2.0 */
/* ->> as it is replaced, beside SQLite's own: same types, same bytes, same messages. */
#include "query/tests/case_helper.h"

#include "query/json_field.h"

#define MADE 60000u

struct pair {
	sqlite3 *db[2]; /* with SQLite's, with ours */
	sqlite3_stmt *stmt[2];
};

static struct pair open_pair(void)
{
	struct pair p;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(sqlite3_open(":memory:", &p.db[i]), SQLITE_OK);
		if (i)
			OK(qry_json_field_register(p.db[i], err));
		assert_int_equal(sqlite3_prepare_v2(p.db[i],
						    "SELECT x, typeof(x) FROM (SELECT ?1 ->> ?2 x)",
						    -1, &p.stmt[i], NULL),
				 SQLITE_OK);
	}
	return p;
}

static void close_pair(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		sqlite3_finalize(p->stmt[i]);
		assert_int_equal(sqlite3_close(p->db[i]), SQLITE_OK);
	}
}

static void answer(struct pair *p, int which, struct sv json, struct sv path, struct buf *out)
{
	sqlite3_stmt *stmt = p->stmt[which];
	int rc;

	buf_reset(out);
	sqlite3_bind_text(stmt, 1, json.p, (int)json.n, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 2, path.p, (int)path.n, SQLITE_STATIC);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(stmt, 0);

		buf_add(out, text ? text : "", (size_t)sqlite3_column_bytes(stmt, 0));
		buf_addf(out, ":%s", (const char *)sqlite3_column_text(stmt, 1));
	} else {
		buf_addf(out, "error %s", sqlite3_errmsg(p->db[which]));
	}
	sqlite3_reset(stmt);
}

static void same(struct pair *p, struct sv json, struct sv path)
{
	struct buf want = {0}, got = {0};

	answer(p, 0, json, path, &want);
	answer(p, 1, json, path, &got);
	if (!sv_eq(buf_view(&want), buf_view(&got)))
		fail_msg("%.*s ->> %.*s: %s, expected %s", (int)json.n, json.p, (int)path.n, path.p,
			 buf_cstr(&got), buf_cstr(&want));
	buf_done(&want);
	buf_done(&got);
}

static const char *const paths[] = {
    "a",	 "$.a",	      "$.\"a\"", "$.\"fd.name\"",
    "fd.name",	 "$.fd.name", "0",	 "a b",
    "$.\"a b\"", "$",	      "",	 "$.",
    "$.\"\"",	 "$.\"a\"\"", "_b1",	 "$.\"a\\\"",
    "$[0]",	 "$.a.b",     "é",	 "$.\"é\"",
    "$.b[0]",	 "$.a ",      "A",	 "$.\"a",
};

static void objects_of_all_kinds_give_what_sqlite_gives(void **state)
{
	static const char *const jsons[] = {
	    "{}",
	    " { } ",
	    "",
	    "{",
	    "[]",
	    "7",
	    "null",
	    "{\"a\":1}",
	    "{\"a\":1,\"a\":2}",
	    "{\"b\":1,\"a\":\"x\"} ",
	    "{\"a\":\"x\",}",
	    "{\"a\":\"x\" \"b\":1}",
	    "{\"a\":\"x\",\"b\":}",
	    "{\"a\":\"x\",\"b\":tru}",
	    "{\"a\":\"x\"}x",
	    "{\"a\":\"x\"",
	    "{\"a\":\"x",
	    "{\"a\":\"\\u0041\"}",
	    "{\"a\":\"\\n\"}",
	    "{\"a\":\"\\x\"}",
	    "{\"b\":\"\\q\",\"a\":1}",
	    "{\"b\":\"\\\"\",\"a\":\"\\\\\"}",
	    "{\"\\u0061\":1}",
	    "{\"a\":\"tab\t\"}",
	    "{\"a\":true,\"_b1\":false}",
	    "{\"a\":null}",
	    "{\"a\":-0}",
	    "{\"a\":0}",
	    "{\"a\":01}",
	    "{\"a\":-}",
	    "{\"a\":-7}",
	    "{\"a\":1.5}",
	    "{\"a\":1e3}",
	    "{\"a\":1,\"b\":1.}",
	    "{\"a\":999999999999999999}",
	    "{\"a\":-999999999999999999}",
	    "{\"a\":9999999999999999999}",
	    "{\"a\":9223372036854775806}",
	    "{\"a\":9223372036854775807}",
	    "{\"a\":9223372036854775808}",
	    "{\"a\":-9223372036854775807}",
	    "{\"a\":-9223372036854775808}",
	    "{\"b\":99999999999999999999999,\"a\":1}",
	    "{\"a\":[1,2],\"b\":{\"c\":3}}",
	    "{\"b\":[1,2],\"a\":3}",
	    "{\"fd.name\":\"/etc/x\",\"fd\":{\"name\":\"other\"}}",
	    "{\"fd.name\":\"/etc/x\",\"a b\":4,\"\":5}",
	    "{\"é\":\"ü\"}",
	    "{a:1}",
	    "{'a':1}",
	    "{\"a\":+1}",
	    "{\"a\":NaN}",
	    "{\"a\" : 1 ,\n\"_b1\"\t:\r2}",
	    "{\"A\":1}",
	};
	struct pair p = open_pair();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(jsons); i++)
		for (size_t k = 0; k < COUNT_OF(paths); k++)
			same(&p, sv_of(jsons[i]), sv_of(paths[k]));
	same(&p, SV_LIT("{\"a\":\"x\0y\"}"), SV_LIT("a"));
	same(&p, SV_LIT("{\"a\":1}\0"), SV_LIT("a"));
	same(&p, SV_LIT("{\"a\":1}"), SV_LIT("a\0b"));
	same(&p, SV_LIT("{\"a\":1}"), SV_LIT("$.\"a\0b\""));
	close_pair(&p);
}

/* Texts put together from pieces, most of them nearly right. */
static void made_up_objects_give_what_sqlite_gives(void **state)
{
	static const char *const pieces[] = {
	    "{",  "}", "\"a\"", "\"_b1\"", ":", ",", "1",   "\"x\"", "true",	"null",
	    "-3", "0", "\"",	"\\",	   " ", "[", "2.5", "]",     "\"\\n\"", "false"};
	struct pair p = open_pair();
	struct buf json = {0};

	(void)state;
	for (uint64_t i = 0; i < MADE; i++) {
		uint64_t x = hash_u64(i);
		unsigned members = (unsigned)(x % 4);

		buf_reset(&json);
		buf_char(&json, '{');
		for (unsigned m = 0; m < members; m++) {
			x = hash_u64(x);
			buf_addf(&json, "%s%s:%s", m ? "," : "", pieces[2 + x % 2],
				 pieces[6 + (x >> 8) % 14]);
		}
		buf_char(&json, '}');
		/* One piece too many, or one byte too few. */
		x = hash_u64(x);
		if (x % 3 == 0)
			buf_str(&json, pieces[(x >> 8) % COUNT_OF(pieces)]);
		if (x % 5 == 0)
			json.len -= (x >> 16) % (json.len - 1);
		same(&p, buf_view(&json), sv_of(paths[(x >> 32) % 3]));
	}
	buf_done(&json);
	close_pair(&p);
}

static void values_of_other_types_give_what_sqlite_gives(void **state)
{
	static const char *const sql[] = {
	    "SELECT NULL ->> 'a'",
	    "SELECT '{\"a\":1}' ->> NULL",
	    "SELECT '[5,6]' ->> 1",
	    "SELECT 5 ->> 'a'",
	    "SELECT x'7b7d' ->> 'a'",
	    "SELECT json('{\"a\":[1]}') ->> 'a'",
	    "SELECT '{\"a\":{\"b\":1}}' ->> 'a' ->> 'b'",
	};
	struct pair p = open_pair();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sql); i++) {
		struct buf got[2] = {{0}, {0}};

		for (int k = 0; k < 2; k++) {
			sqlite3_stmt *stmt = NULL;
			int rc;

			assert_int_equal(sqlite3_prepare_v2(p.db[k], sql[i], -1, &stmt, NULL),
					 SQLITE_OK);
			rc = sqlite3_step(stmt);
			buf_addf(&got[k], "%d %d %s %s", rc, sqlite3_column_type(stmt, 0),
				 rc == SQLITE_ROW && sqlite3_column_text(stmt, 0)
				     ? (const char *)sqlite3_column_text(stmt, 0)
				     : "",
				 sqlite3_errmsg(p.db[k]));
			sqlite3_finalize(stmt);
		}
		assert_string_equal(buf_cstr(&got[0]), buf_cstr(&got[1]));
		buf_done(&got[0]);
		buf_done(&got[1]);
	}
	close_pair(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(objects_of_all_kinds_give_what_sqlite_gives),
	    cmocka_unit_test(made_up_objects_give_what_sqlite_gives),
	    cmocka_unit_test(values_of_other_types_give_what_sqlite_gives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
