/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/keys.h"

static void every_default_key_is_a_key_and_of_one_action_only(void **state)
{
	uint32_t all[512];
	size_t n = 0;

	(void)state;
	for (int a = 1; a < TUI_ACTION_COUNT; a++) {
		struct sv rest = sv_of(tui_actions[a].keys);

		while (rest.n) {
			if (!tui_key_take(&rest, &all[n]))
				fail_msg("%s: not a key: %s", tui_actions[a].name, rest.p);
			for (size_t i = 0; i < n; i++)
				if (all[i] == all[n])
					fail_msg("%s: key %u is of two actions",
						 tui_actions[a].name, all[n]);
			n++;
			if (rest.n)
				assert_int_equal(rest.p[0], ' ');
			rest = sv_drop(rest, 1);
		}
	}
	assert_true(n > 80);
}

static void actions_have_texts_and_names_of_their_own(void **state)
{
	(void)state;
	for (int a = 1; a < TUI_ACTION_COUNT; a++) {
		const struct tui_action_info *info = &tui_actions[a];

		assert_int_equal(tui_action_find(sv_of(info->name)), a);
		assert_true(info->help[0] != 0);
		assert_true(info->group < TUI_GROUP_COUNT && tui_group_names[info->group]);
		assert_int_equal(tui_action_needs_argument(a),
				 info->arg[0] >= 'A' && info->arg[0] <= 'Z');
	}
	assert_int_equal(tui_action_find(SV_LIT("")), TUI_NO_ACTION);
	assert_int_equal(tui_action_find(SV_LIT("no-such")), TUI_NO_ACTION);
	assert_string_equal(tui_actions[0].name, "");
	assert_true(tui_action_needs_argument(TUI_DO_GOTO));
	assert_false(tui_action_needs_argument(TUI_DO_SORT));
}

static void a_script_is_keys_one_after_the_other(void **state)
{
	static const uint32_t expected[] = {
	    '2', 'j', 'j',	  TUI_KEY_ENTER, 'e',  ' ',
	    '<', 6,   TUI_KEY_F1, TUI_KEY_F12,	 0xe9, TUI_KEY_BACK_TAB,
	    'C', '-', 'f',	  '#',		 '>',  'C',
	    '-', 'X', '#',	  TUI_KEY_ESC};
	struct sv text = sv_of("2jj<Enter>e <lt>C-f<F1><F12>é<S-Tab>C<minus>f#>C-X<hash><Esc>");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		uint32_t key = 0;

		assert_true(tui_key_take(&text, &key));
		assert_int_equal(key, expected[i]);
	}
	assert_int_equal(text.n, 0);
}

static void what_is_no_key_is_not_taken(void **state)
{
	static const char *const no[] = {"",	 "<",	  "<>",		 "<Enter", "<enter>",
					 "<F0>", "<F13>", "<F1x>",	 "<F01>",  "\n",
					 "\x1b", "\xff",  "\xe2\x80\xae"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(no); i++) {
		struct sv text = sv_of(no[i]);
		uint32_t key = 77;

		if (tui_key_take(&text, &key))
			fail_msg("taken for a key: row %zu", i);
		assert_int_equal(text.n, strlen(no[i]));
	}
}

static void names_of_keys_are_read_as_the_same_keys(void **state)
{
	struct buf b = {0};

	(void)state;
	for (uint32_t key = 1; key < TUI_KEY_END_OF_LIST; key++) {
		struct sv text;
		uint32_t again = 0;

		buf_reset(&b);
		tui_key_name(&b, key);
		text = buf_view(&b);
		if (!text.n) {
			assert_true(key < 32 || (key >= 0x7f && key <= TUI_KEY_FIRST));
			continue;
		}
		if (key >= 0xd800 && key <= 0xdfff)
			continue; /* no characters */
		assert_true(tui_key_take(&text, &again));
		assert_int_equal(again, key);
		assert_int_equal(text.n, 0);
	}
	buf_done(&b);
}

/* --- maps */

static const char *keys_of(const struct tui_keymap *m, enum tui_action a)
{
	static char text[256];
	struct buf b = {0};

	tui_keymap_keys(m, a, &b);
	snprintf(text, sizeof(text), "%s", buf_cstr(&b));
	buf_done(&b);
	return text;
}

/* Load a file with @text. */
static int load(struct tui_keymap *m, const char *text, struct error *err)
{
	char path[] = "/tmp/keys-test-XXXXXX";
	int fd = mkstemp(path), rc;
	size_t n = strlen(text);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
	rc = tui_keymap_load(m, path, err);
	unlink(path);
	return rc;
}

static void the_map_has_the_keys_of_the_table(void **state)
{
	struct tui_keymap *m = NULL;
	struct buf b = {0};

	(void)state;
	assert_int_equal(tui_keymap_new(&m, NULL), 0);
	assert_int_equal(tui_keymap_find(m, 'j'), TUI_DO_DOWN);
	assert_int_equal(tui_keymap_find(m, '<'), TUI_DO_STEP_BACK);
	assert_int_equal(tui_keymap_find(m, 3), TUI_DO_CANCEL);
	assert_int_equal(tui_keymap_find(m, TUI_KEY_F1), TUI_DO_HELP);
	assert_int_equal(tui_keymap_find(m, 0xe9), TUI_NO_ACTION);
	assert_string_equal(keys_of(m, TUI_DO_FILTER), "\\ f");
	assert_string_equal(keys_of(m, TUI_DO_BACK), "<Esc> <Bksp> q");
	assert_string_equal(keys_of(m, TUI_DO_CANCEL), "C-c");
	assert_string_equal(keys_of(m, TUI_DO_KEYS), "");
	tui_keymap_key(m, TUI_DO_BACK, &b);
	assert_string_equal(buf_cstr(&b), "<Esc>");
	buf_done(&b);
	tui_keymap_free(m);
	tui_keymap_free(NULL);
}

static void a_file_replaces_the_keys_of_the_actions_it_names(void **state)
{
	struct tui_keymap *m = NULL;

	(void)state;
	assert_int_equal(tui_keymap_new(&m, NULL), 0);
	assert_int_equal(load(m,
			      "# mine\n"
			      "\n"
			      "up   i <Up> i\n"
			      "describe\tI   # not i\r\n"
			      "quit\n"
			      "tag #\n"
			      "bookmark <hash>",
			      NULL),
			 0);
	assert_string_equal(keys_of(m, TUI_DO_UP), "i <Up>");
	assert_string_equal(keys_of(m, TUI_DO_DESCRIBE), "I");
	assert_string_equal(keys_of(m, TUI_DO_QUIT), "");
	assert_string_equal(keys_of(m, TUI_DO_TAG), "");
	assert_string_equal(keys_of(m, TUI_DO_BOOKMARK), "#");
	assert_int_equal(tui_keymap_find(m, 'k'), TUI_NO_ACTION);
	assert_int_equal(tui_keymap_find(m, 'i'), TUI_DO_UP);
	assert_int_equal(tui_keymap_find(m, 'j'), TUI_DO_DOWN);
	tui_keymap_free(m);
}

static void mistakes_in_a_file_are_told_and_change_nothing(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"up K\nno-such x\n", ":2:1: there is no action 'no-such'"},
	    {"up K <Entr>\n", ":1:6: '<Entr>' is not a key"},
	    {"up K ab\n", ":1:6: 'ab' is not a key"},
	    {"down J\nup j J\n", ":2:6: key J of 'up' is that of 'down', too"},
	    {"down J\nup x\n", ":2:4: key x of 'up' is that of 'tag', too"},
	    {"tag <Down>\n", ":1:5: key <Down> of 'tag' is that of 'down', too"},
	    {"up \x1b\n", ":1:4: '\x1b' is not a key"},
	};
	struct tui_keymap *m = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(tui_keymap_new(&m, NULL), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(load(m, cases[i].text, &err), ERR_SYNTAX);
		if (!strstr(err.msg, cases[i].message))
			fail_msg("%s", err.msg);
		assert_string_equal(keys_of(m, TUI_DO_UP), "<Up> k");
		assert_string_equal(keys_of(m, TUI_DO_DOWN), "<Down> j");
	}
	assert_int_equal(tui_keymap_load(m, "/no/such/file", &err), ERR_IO);
	tui_keymap_free(m);
}

static void files_have_a_limit(void **state)
{
	static char text[80 << 10];
	struct tui_keymap *m = NULL;
	struct error err = {0};
	size_t n;

	(void)state;
	assert_int_equal(tui_keymap_new(&m, NULL), 0);
	memset(text, '\n', sizeof(text) - 1);
	assert_int_equal(load(m, text, &err), ERR_SYNTAX);
	n = (size_t)snprintf(text, sizeof(text), "up");
	for (unsigned i = 0; i < 600; i++) { /* characters of two bytes */
		text[n++] = ' ';
		text[n++] = (char)(0xc4 + i / 64);
		text[n++] = (char)(0x80 + i % 64);
	}
	text[n] = 0;
	assert_int_equal(load(m, text, &err), ERR_SYNTAX);
	assert_non_null(strstr(err.msg, "more than 512 keys"));
	tui_keymap_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_default_key_is_a_key_and_of_one_action_only),
	    cmocka_unit_test(actions_have_texts_and_names_of_their_own),
	    cmocka_unit_test(a_script_is_keys_one_after_the_other),
	    cmocka_unit_test(what_is_no_key_is_not_taken),
	    cmocka_unit_test(names_of_keys_are_read_as_the_same_keys),
	    cmocka_unit_test(the_map_has_the_keys_of_the_table),
	    cmocka_unit_test(a_file_replaces_the_keys_of_the_actions_it_names),
	    cmocka_unit_test(mistakes_in_a_file_are_told_and_change_nothing),
	    cmocka_unit_test(files_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
