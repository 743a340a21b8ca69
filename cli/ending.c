/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ending.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/defs.h"
#include "capture/recorder.h"

static struct {
	struct rec *volatile rec;
	volatile pid_t child;
	volatile sig_atomic_t ended_by, wants_numbers, wants_dump;
} ending;

static void end(int number)
{
	struct rec *rec = ending.rec;

	if (ending.ended_by)
		_exit(128 + number);
	ending.ended_by = number;
	if (rec)
		rec_stop(rec);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	pid_t child = ending.child;
	int saved = errno;

	(void)context;
	if (number == SIGUSR1) {
		ending.wants_numbers = 1;
	} else if (number == SIGUSR2) {
		ending.wants_dump = 1;
	} else if (child) {
		ending.child = 0;
		if (info->si_code <= 0) /* from a process, not from the terminal */
			kill(child, number);
	} else {
		end(number);
	}
	errno = saved;
}

void cli_ending_watch(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
	struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};

	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		sigaddset(&sa.sa_mask, numbers[i]);
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		struct sigaction was;

		/* nohup(1) and background jobs of simple shells ignore some on purpose. */
		if (sigaction(numbers[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)
			sigaction(numbers[i], &sa, NULL);
	}
}

void cli_ending_stops(struct rec *rec)
{
	ending.rec = rec;
	if (rec && ending.ended_by)
		rec_stop(rec);
}

void cli_ending_passes_to(pid_t child)
{
	ending.child = child;
}

int cli_ending_signal(void)
{
	return ending.ended_by;
}

bool cli_ending_wants_numbers(void)
{
	bool wants = ending.wants_numbers;

	ending.wants_numbers = 0;
	return wants;
}

bool cli_ending_wants_dump(void)
{
	bool wants = ending.wants_dump;

	ending.wants_dump = 0;
	return wants;
}
