/* SPDX-License-Identifier: Apache-2.0 */
/* scapula completion: scripts for shells, made of the option tables of all commands. */
#include <string.h>

#include "cli/cli.h"

static const struct cli_option completion_options[] = {{0, NULL, NULL, NULL}};

static const char *const completion_examples[] = {
    "completion bash > ~/.local/share/bash-completion/completions/scapula",
    "completion zsh > ~/.zfunc/_scapula",
    "completion fish > ~/.config/fish/completions/scapula.fish",
    NULL,
};

/* --- what values are --- */

enum kind { KIND_TEXT, KIND_WORDS, KIND_FILE, KIND_DIRECTORY };

static const char priorities[] = "emergency|alert|critical|error|warning|notice|info|debug";

/* Among several, what is to be typed as it stands: "text", not "FILE". */
static bool is_word(const char *p, size_t n)
{
	for (size_t i = 0; i < n && n > 1; i++)
		if (!(p[i] >= 'a' && p[i] <= 'z') && !(p[i] >= '0' && p[i] <= '9') && p[i] != '-')
			return false;
	return n != 0;
}

static bool names(const char *arg, const char *what)
{
	const char *at = strstr(arg, what);

	return at && (at == arg || at[-1] == '|') && strchr("|", at[strlen(what)]) != NULL;
}

/* The words of "a|b|C", separated by spaces. Return: are there any? */
static bool words_of(struct buf *b, const char *arg)
{
	bool any = false;

	if (strcmp(arg, "PRIORITY") == 0)
		arg = priorities;
	for (bool more = strchr(arg, '|') != NULL; more;) {
		size_t n = strcspn(arg, "|");

		if (is_word(arg, n)) {
			buf_str(b, any ? " " : "");
			buf_add(b, arg, n);
			any = true;
		}
		more = arg[n] != '\0';
		arg += n + more;
	}
	return any;
}

static enum kind kind_of(const char *arg)
{
	static const char *const files[] = {"FILE", "CASE", "LIST",   "LOG",
					    "KEY",  "LINE", "BUNDLE", "CAPTURE"};
	struct buf words = {0};
	bool any = words_of(&words, arg);

	buf_done(&words);
	if (any)
		return KIND_WORDS;
	for (size_t i = 0; i < COUNT_OF(files); i++)
		if (names(arg, files[i]))
			return KIND_FILE;
	return names(arg, "DIR") ? KIND_DIRECTORY : KIND_TEXT;
}

/* --- all commands --- */

struct writer {
	struct buf *out;
	const struct cli_command *command; /* the one that is looked at */
	unsigned seen;			   /* commands that told their options */
	/* The options of a command; those of all that it has itself are not among @common. */
	void (*put)(struct writer *w, const struct cli_option *own,
		    const struct cli_option *common);
};

static void take_tables(void *arg, const struct cli_option *own, const struct cli_option *common)
{
	struct writer *w = arg;

	w->seen++;
	w->put(w, own, common);
}

/* Each is asked for its help, but the tables go to @w instead of being printed. */
static bool each_command(struct writer *w)
{
	char help[] = "--help";

	for (w->command = cli_commands; w->command->name; w->command++) {
		unsigned before = w->seen;
		char name[32];
		char *argv[] = {name, help, NULL};

		snprintf(name, sizeof(name), "%s", w->command->name);
		cli_divert_help(take_tables, w);
		w->command->run(2, argv);
		cli_divert_help(NULL, NULL);
		if (w->seen != before + 1)
			return false;
	}
	return true;
}

static void each_option(struct writer *w, const struct cli_option *own,
			const struct cli_option *common,
			void (*put)(struct writer *w, const struct cli_option *o))
{
	for (const struct cli_option *o = own; o->id; o++)
		put(w, o);
	for (const struct cli_option *o = common; o->id; o++)
		if (!cli_option_is_in(own, o->name))
			put(w, o);
}

/* "-r" and "--rules", with @between if there are both. */
static void put_names(struct buf *b, const struct cli_option *o, const char *between)
{
	if (o->id < OPT_FIRST)
		buf_addf(b, "-%c", o->id);
	if (o->name)
		buf_addf(b, "%s--%s", o->id < OPT_FIRST ? between : "", o->name);
}

/* In single quotes, where a shell takes all as it stands; @special gets a backslash. */
static void put_quoted(struct buf *b, const char *text, const char *special, const char *quote)
{
	for (; *text; text++) {
		if (*text == '\'')
			buf_str(b, quote);
		else {
			if (strchr(special, *text))
				buf_char(b, '\\');
			buf_char(b, *text);
		}
	}
}

/* --- bash --- */

static void bash_name(struct writer *w, const struct cli_option *o)
{
	put_names(w->out, o, " ");
	buf_char(w->out, ' ');
}

static void bash_value(struct writer *w, const struct cli_option *o)
{
	static const char *const kinds[] = {
	    [KIND_TEXT] = "text", [KIND_FILE] = "files", [KIND_DIRECTORY] = "directories"};
	enum kind kind;

	if (!o->arg)
		return;
	kind = kind_of(o->arg);
	buf_lit(w->out, "\t\t");
	put_names(w->out, o, "|");
	if (kind == KIND_WORDS) {
		buf_lit(w->out, ") kind=words words='");
		words_of(w->out, o->arg);
		buf_lit(w->out, "' ;;\n");
	} else {
		buf_addf(w->out, ") kind=%s ;;\n", kinds[kind]);
	}
}

static void bash_command(struct writer *w, const struct cli_option *own,
			 const struct cli_option *common)
{
	buf_addf(w->out, "\t%s)\n\t\toptions='", w->command->name);
	each_option(w, own, common, bash_name);
	buf_lit(w->out, "'\n");
	if (is_word(w->command->args, strcspn(w->command->args, "| ["))) {
		buf_lit(w->out, "\t\toperands='");
		for (const char *p = w->command->args; *p && *p != ' '; p++)
			buf_char(w->out, *p == '|' ? ' ' : *p);
		buf_lit(w->out, "'\n");
	}
	buf_lit(w->out, "\t\tcase $before in\n");
	each_option(w, own, common, bash_value);
	buf_lit(w->out, "\t\tesac\n\t\t;;\n");
}

static bool bash(struct buf *b)
{
	struct writer w = {.out = b, .put = bash_command};
	bool ok;

	buf_lit(b, "_scapula()\n{\n"
		   "\tlocal now=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
		   "\tlocal kind= words= options= operands=\n\n"
		   "\tCOMPREPLY=()\n"
		   "\tif ((COMP_CWORD == 1)); then\n\t\tCOMPREPLY=($(compgen -W 'help");
	for (const struct cli_command *c = cli_commands; c->name; c++)
		buf_addf(b, " %s", c->name);
	buf_lit(b, " --help --version' -- \"$now\"))\n\t\treturn\n\tfi\n"
		   "\t# bash takes --format=json as three words\n"
		   "\tif [[ $now == '=' ]]; then\n\t\tnow=\n"
		   "\telif [[ $before == '=' ]]; then\n"
		   "\t\tbefore=${COMP_WORDS[COMP_CWORD - 2]}\n\tfi\n"
		   "\tcase ${COMP_WORDS[1]} in\n");
	ok = each_command(&w);
	buf_lit(b, "\thelp)\n\t\tkind=words words='");
	for (const struct cli_command *c = cli_commands; c->name; c++)
		buf_addf(b, "%s%s", c == cli_commands ? "" : " ", c->name);
	buf_lit(b, "'\n\t\t;;\n\tesac\n"
		   "\tif [[ -z $kind && $now == -* ]]; then\n\t\tkind=words words=$options\n"
		   "\telif [[ -z $kind && -n $operands ]] && ((COMP_CWORD == 2)); then\n"
		   "\t\tkind=words words=$operands\n\tfi\n"
		   "\tcase $kind in\n"
		   "\twords) COMPREPLY=($(compgen -W \"$words\" -- \"$now\")) ;;\n"
		   "\ttext) ;;\n"
		   "\tdirectories)\n\t\tcompopt -o filenames 2>/dev/null\n"
		   "\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$now\")\n\t\t;;\n"
		   "\t*)\n\t\tcompopt -o filenames 2>/dev/null\n"
		   "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$now\")\n\t\t;;\n"
		   "\tesac\n}\ncomplete -F _scapula scapula\n");
	return ok;
}

/* --- zsh --- */

#define ZSH_SPECIAL "[]:\\"
#define ZSH_QUOTE   "'\\''"

static void zsh_option(struct writer *w, const struct cli_option *o)
{
	struct buf *b = w->out;

	buf_lit(b, " \\\n\t\t\t'*'");
	if (o->id < OPT_FIRST && o->name)
		buf_char(b, '{');
	put_names(b, o, ",");
	buf_str(b, o->id < OPT_FIRST && o->name ? "}'[" : "'[");
	put_quoted(b, o->help, ZSH_SPECIAL, ZSH_QUOTE);
	buf_char(b, ']');
	if (o->arg) {
		buf_char(b, ':');
		put_quoted(b, o->arg, ZSH_SPECIAL, ZSH_QUOTE);
		buf_char(b, ':');
		switch (kind_of(o->arg)) {
		case KIND_WORDS:
			buf_char(b, '(');
			words_of(b, o->arg);
			buf_char(b, ')');
			break;
		case KIND_FILE:
			buf_lit(b, "_files");
			break;
		case KIND_DIRECTORY:
			buf_lit(b, "_files -/");
			break;
		case KIND_TEXT:
			break;
		}
	}
	buf_char(b, '\'');
}

static void zsh_command(struct writer *w, const struct cli_option *own,
			const struct cli_option *common)
{
	buf_addf(w->out, "\t\t%s) _arguments -s", w->command->name);
	each_option(w, own, common, zsh_option);
	if (is_word(w->command->args, strcspn(w->command->args, "| ["))) {
		buf_lit(w->out, " \\\n\t\t\t'1: :(");
		for (const char *p = w->command->args; *p && *p != ' '; p++)
			buf_char(w->out, *p == '|' ? ' ' : *p);
		buf_lit(w->out, ")'");
	}
	buf_lit(w->out, " \\\n\t\t\t'*: :_files' ;;\n");
}

static bool zsh(struct buf *b)
{
	struct writer w = {.out = b, .put = zsh_command};
	bool ok;

	buf_lit(b, "#compdef scapula\n"
		   "_scapula()\n{\n\tlocal curcontext=$curcontext state line\n"
		   "\tlocal -a commands\n\n\tcommands=(\n");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		buf_addf(b, "\t\t'%s:", c->name);
		put_quoted(b, c->summary, "", ZSH_QUOTE);
		buf_lit(b, "'\n");
	}
	buf_lit(b, "\t)\n"
		   "\t_arguments -C '(- *)--help[list the commands]' "
		   "'(- *)--version[say what is compiled in]' \\\n"
		   "\t\t'1: :->command' '*:: :->argument'\n"
		   "\tcase $state in\n"
		   "\tcommand) _describe command commands ;;\n"
		   "\targument)\n\t\tcase $words[1] in\n");
	ok = each_command(&w);
	buf_lit(b, "\t\thelp) _describe command commands ;;\n"
		   "\t\tesac ;;\n\tesac\n}\n"
		   "if [[ $funcstack[1] == _scapula ]]; then\n\t_scapula \"$@\"\n"
		   "else\n\tcompdef _scapula scapula\nfi\n");
	return ok;
}

/* --- fish --- */

#define FISH_QUOTE "\\'"

static void fish_option(struct writer *w, const struct cli_option *o)
{
	struct buf *b = w->out;

	buf_addf(b, "complete -c scapula -n '__fish_seen_subcommand_from %s'", w->command->name);
	if (o->id < OPT_FIRST)
		buf_addf(b, " -s %c", o->id);
	if (o->name)
		buf_addf(b, " -l %s", o->name);
	if (o->arg) {
		switch (kind_of(o->arg)) {
		case KIND_WORDS:
			buf_lit(b, " -x -a '");
			words_of(b, o->arg);
			buf_char(b, '\'');
			break;
		case KIND_FILE:
			buf_lit(b, " -r -F");
			break;
		case KIND_DIRECTORY:
			buf_lit(b, " -x -a '(__fish_complete_directories)'");
			break;
		case KIND_TEXT:
			buf_lit(b, " -x");
			break;
		}
	}
	buf_lit(b, " -d '");
	put_quoted(b, o->help, "\\", FISH_QUOTE);
	buf_lit(b, "'\n");
}

static void fish_command(struct writer *w, const struct cli_option *own,
			 const struct cli_option *common)
{
	const char *args = w->command->args;
	size_t n = strcspn(args, " ");

	buf_addf(w->out, "complete -c scapula -n __fish_use_subcommand -a %s -d '",
		 w->command->name);
	put_quoted(w->out, w->command->summary, "\\", FISH_QUOTE);
	buf_addf(w->out, "'\ncomplete -c scapula -n '__fish_seen_subcommand_from %s' ",
		 w->command->name);
	if (is_word(args, strcspn(args, "| ["))) {
		buf_lit(w->out, "-a '");
		for (size_t i = 0; i < n; i++)
			buf_char(w->out, args[i] == '|' ? ' ' : args[i]);
		buf_lit(w->out, "'");
	} else {
		buf_lit(w->out, "-F");
	}
	buf_char(w->out, '\n');
	each_option(w, own, common, fish_option);
}

static bool fish(struct buf *b)
{
	struct writer w = {.out = b, .put = fish_command};

	buf_lit(b, "complete -c scapula -f\n"
		   "complete -c scapula -n __fish_use_subcommand -l help -d 'list the commands'\n"
		   "complete -c scapula -n __fish_use_subcommand -l version -d 'say what is "
		   "compiled in'\n");
	return each_command(&w);
}

/* --- the command --- */

static int take_option(void *arg, int id, const char *value)
{
	(void)arg;
	(void)id;
	(void)value;
	return CLI_USAGE; /* it has none of its own */
}

static int work(char **argv, int count)
{
	static const struct {
		const char *name;
		bool (*put)(struct buf *b);
	} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
	struct buf b = {0};
	size_t i = 0;
	int status;

	while (count == 1 && i < COUNT_OF(shells) && strcmp(argv[0], shells[i].name) != 0)
		i++;
	if (count != 1 || i == COUNT_OF(shells)) {
		cli_log(CLI_ERROR, "expected the name of a shell: bash, zsh or fish");
		return CLI_USAGE;
	}
	buf_addf(&b, "%s", i == 1 ? "" : "# Completion of scapula " SCAPULA_VERSION "\n");
	if (!shells[i].put(&b))
		b.failed = true;
	status = cli_write(&b);
	buf_done(&b);
	return cli_worse(status, cli_flush());
}

int cmd_completion(int argc, char **argv)
{
	struct cli_common common;
	const struct cli_parser parser = {"completion", completion_options, completion_examples,
					  take_option, NULL};
	int first, status;

	status = cli_parse(&parser, &common, argc, argv, &first);
	if (status < 0)
		return cli_flush();
	return status ? status : work(argv + first, argc - first);
}
