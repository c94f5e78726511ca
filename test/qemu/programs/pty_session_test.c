/* Sessions on pseudo-terminals: job control, typed signals, and what their end means. */
#define _GNU_SOURCE 1
#include "test/qemu/programs/pty.h"

#include <signal.h>
#include <sys/ioctl.h>

/* In a child: a session of its own on the terminal. */
static void take_terminal(struct pair *pair)
{
	close(pair->master);
	CHECK(setsid() > 0);
	CHECK(ioctl(pair->terminal, TIOCSCTTY, 0) == 0);
	CHECK(tcgetpgrp(pair->terminal) == getpgrp() && tcgetsid(pair->terminal) == getpid());
}

static volatile sig_atomic_t last_signal;

static void note_signal(int number)
{
	last_signal = number;
}

/* A child in a session of its own on a fresh terminal runs `function`. */
static pid_t start_session(struct pair *pair, int (*function)(struct pair *pair))
{
	pid_t pid;

	*pair = open_pair();
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		take_terminal(pair);
		_exit(function(pair));
	}
	close(pair->terminal);
	return pid;
}

static int end_of(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

static int wait_for_signal(struct pair *pair)
{
	signal(SIGINT, note_signal);
	signal(SIGWINCH, note_signal);
	send_text(pair->terminal, "ready\n");
	while (last_signal != SIGINT)
		pause();
	return 3;
}

static void typed_signals(void)
{
	struct pair pair;
	pid_t pid = start_session(&pair, wait_for_signal), group;

	expect(pair.master, "ready\r\n");
	CHECK(ioctl(pair.master, TIOCGPGRP, &group) == 0 && group == pid);
	send_text(pair.master, "\003");
	CHECK(WEXITSTATUS(end_of(pid)) == 3);
	close(pair.master);
}

static int wait_for_window(struct pair *pair)
{
	struct winsize window;

	signal(SIGWINCH, note_signal);
	send_text(pair->terminal, "ready\n");
	while (last_signal != SIGWINCH)
		pause();
	CHECK(ioctl(pair->terminal, TIOCGWINSZ, &window) == 0);
	return window.ws_row;
}

static void window_changes(void)
{
	struct pair pair;
	struct winsize window = {.ws_row = 33, .ws_col = 100};
	pid_t pid = start_session(&pair, wait_for_window);

	expect(pair.master, "ready\r\n");
	CHECK(ioctl(pair.master, TIOCSWINSZ, &window) == 0);
	CHECK(WEXITSTATUS(end_of(pid)) == 33);
	close(pair.master);
}

static int wait_for_ever(struct pair *pair)
{
	send_text(pair->terminal, "ready\n");
	for (;;)
		pause();
}

/* The leader hears SIGHUP when the master closes, and dies of it. */
static void hang_up(void)
{
	struct pair pair;
	pid_t pid = start_session(&pair, wait_for_ever);
	int status;

	expect(pair.master, "ready\r\n");
	close(pair.master);
	status = end_of(pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
}

/* The foreground group hears SIGHUP when the leader of the session ends. */
static int leave_foreground_job(struct pair *pair)
{
	pid_t job = fork();

	if (job == 0) {
		setpgid(0, 0);
		pause();
	}
	setpgid(job, job);
	CHECK(tcsetpgrp(pair->terminal, job) == 0);
	dprintf(pair->terminal, "%d\n", job);
	return 0;
}

static void leader_ends(void)
{
	struct pair pair;
	pid_t pid = start_session(&pair, leave_foreground_job);
	char line[32] = "";
	int job;

	CHECK(end_of(pid) == 0);
	CHECK(read(pair.master, line, sizeof(line) - 1) > 0);
	job = atoi(line);
	CHECK_ERROR(read(pair.master, line, 1), EIO);
	for (int i = 0; i < 500 && kill(job, 0) == 0; i++)
		usleep(10000);
	CHECK_ERROR(kill(job, 0), ESRCH);
	close(pair.master);
}

/* A job in the background outlives the leader, but the terminal is of no use to it any more. */
static int leave_background_job(struct pair *pair)
{
	pid_t job = fork();
	char byte;

	if (job == 0) {
		setpgid(0, 0);
		while (getppid() != 1)
			usleep(1000);
		errno = 0;
		_exit(read(pair->terminal, &byte, 1) == 0 && write(pair->terminal, "x", 1) < 0 &&
				      errno == EIO
			      ? 0
			      : 1);
	}
	setpgid(job, job);
	dprintf(pair->terminal, "%d\n", job);
	return 0;
}

static void background_job_outlives_leader(void)
{
	struct pair pair;
	pid_t pid = start_session(&pair, leave_background_job);
	char line[32] = "";

	CHECK(end_of(pid) == 0);
	CHECK(read(pair.master, line, sizeof(line) - 1) > 0);
	CHECK_ERROR(read(pair.master, line, 1), EIO);
	CHECK_ERROR(open(pair.name, O_RDWR | O_NOCTTY), EIO);
	close(pair.master);
	for (int i = 0; i < 500 && kill(atoi(line), 0) == 0; i++)
		usleep(10000);
	CHECK_ERROR(kill(atoi(line), 0), ESRCH);
}

/* What runs in the background may not read, and stops; it may write unless TOSTOP says no. */
static int background(struct pair *pair)
{
	struct termios termios;
	int status;
	pid_t job = fork();

	if (job == 0) {
		setpgid(0, 0);
		send_text(pair->terminal, "out\n");
		_exit(read(pair->terminal, &status, 1) == 1 ? 7 : 1);
	}
	setpgid(job, job);
	CHECK(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status));
	CHECK(WSTOPSIG(status) == SIGTTIN);
	CHECK(tcsetpgrp(pair->terminal, job) == 0 && kill(-job, SIGCONT) == 0);
	CHECK(waitpid(job, &status, WUNTRACED) == job && WIFEXITED(status));
	CHECK(WEXITSTATUS(status) == 7);

	/* We are in the background ourselves now: only who blocks SIGTTOU may change that. */
	signal(SIGTTOU, SIG_IGN);
	CHECK(tcsetpgrp(pair->terminal, getpgrp()) == 0);
	signal(SIGTTOU, SIG_DFL);
	CHECK(tcgetattr(pair->terminal, &termios) == 0);
	termios.c_lflag |= TOSTOP;
	CHECK(tcsetattr(pair->terminal, TCSANOW, &termios) == 0);
	job = fork();
	if (job == 0) {
		setpgid(0, 0);
		send_text(pair->terminal, "no");
		_exit(1);
	}
	setpgid(job, job);
	CHECK(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status));
	CHECK(WSTOPSIG(status) == SIGTTOU);
	CHECK(kill(job, SIGKILL) == 0 && waitpid(job, NULL, 0) == job);
	return 0;
}

static void background_jobs(void)
{
	struct pair pair;
	pid_t pid = start_session(&pair, background);

	expect(pair.master, "out\r\n");
	send_text(pair.master, "x\n");
	CHECK(end_of(pid) == 0);
	close(pair.master);
}

static int controlling(struct pair *pair)
{
	char name[32];
	int tty = open("/dev/tty", O_RDWR);

	CHECK(tty >= 0);
	send_text(tty, "through /dev/tty\n");
	CHECK(ttyname_r(pair->terminal, name, sizeof(name)) == 0);
	signal(SIGHUP, SIG_IGN);
	CHECK(ioctl(tty, TIOCNOTTY) == 0);
	CHECK_ERROR(open("/dev/tty", O_RDWR), ENXIO);
	CHECK_ERROR(tcgetpgrp(pair->terminal), ENOTTY);
	tty = open(name, O_RDWR); /* without O_NOCTTY it becomes ours again */
	CHECK(tty >= 0 && tcgetpgrp(tty) == getpgrp());
	return 0;
}

static void controlling_terminal(void)
{
	struct pair pair;
	pid_t pid = start_session(&pair, controlling);

	expect(pair.master, "through /dev/tty\r\n");
	CHECK(end_of(pid) == 0);
	close(pair.master);
}

RUN_TESTS({"typed signals", typed_signals}, {"window changes", window_changes},
	  {"hang up", hang_up}, {"the leader ends", leader_ends},
	  {"a background job outlives the leader", background_job_outlives_leader},
	  {"background jobs", background_jobs}, {"controlling terminal", controlling_terminal})
