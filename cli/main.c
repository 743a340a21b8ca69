/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cli.h"

const struct cli_command cli_commands[] = {
#define COMMAND(name, fn, args, summary) {#name, fn, args, summary},
#include "cli/commands.def"
#undef COMMAND
    {NULL, NULL, NULL, NULL},
};

const struct cli_command *cli_command_find(const char *name)
{
	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

void cli_print_usage(FILE *f)
{
	fputs("usage: scapula COMMAND [OPTION...] [ARGUMENT...]\n\n"
	      "Records Linux system activity, and evaluates Falco rules over it.\n\ncommands:\n",
	      f);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		fprintf(f, "  %-8s %s\n", c->name, c->summary);
	fputs("\n'scapula COMMAND --help' lists the options of a command, 'man scapula-COMMAND' "
	      "explains it.\n"
	      "'scapula --version' says what is compiled in.\n",
	      f);
}

/* "scapula help replay" is "scapula replay --help". */
static int help(int argc, char **argv)
{
	const struct cli_command *c = argc > 1 ? cli_command_find(argv[1]) : NULL;
	char *const args[] = {argv[argc > 1], (char *)"--help", NULL};

	if (c)
		return c->run(2, (char **)args);
	if (argc > 1) {
		cli_log(CLI_ERROR, "there is no command '%s'; 'scapula --help' lists them",
			argv[1]);
		return CLI_USAGE;
	}
	cli_print_usage(stdout);
	return cli_flush();
}

int main(int argc, char **argv)
{
	const struct cli_command *c;
	int status;

	cli_ignore_signals();
	if (argc < 2) {
		cli_print_usage(stderr);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		cli_print_usage(stdout);
		return cli_flush();
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		cli_print_version();
		return cli_flush();
	}
	if (strcmp(argv[1], "help") == 0)
		return help(argc - 1, argv + 1);
	c = cli_command_find(argv[1]);
	if (!c) {
		cli_log(CLI_ERROR, "there is no command '%s'; 'scapula --help' lists them",
			argv[1]);
		return CLI_USAGE;
	}
	status = c->run(argc - 1, argv + 1);
	if (cli_timed_out())
		cli_log(CLI_WARNING, "stopped by --timeout");
	return status;
}
