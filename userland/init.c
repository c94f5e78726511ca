/*
 * init: process 1. Brings the network up, then gives a shell on the console, or runs one command.
 *
 * The kernel command line says how: `ip=` as Linux has it (lib/ip_option.h), and
 * `vitrine.run=COMMAND`, percent-encoded: wait until every interface is configured, run the command
 * with /bin/sh -c, log `vitrine: exit STATUS` and power off.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "userland/lib/command_line.h"
#include "userland/lib/ip_option.h"
#include "userland/lib/log.h"
#include "userland/lib/netconfig.h"
#include "userland/lib/netif.h"

enum {
	IP_OPTIONS_MAX = 16,
	COMMAND_LINE_MAX = 8192,
	COMMAND_NOT_RUN = 127, /* the shell's own status for that */
	SIGNAL_STATUS = 128,
	NO_READY_FD = -1,
};

/* QEMU's user network has these; a machine without a DHCP server gets them too. */
#define FALLBACK "10.0.2.15/24,10.0.2.2,10.0.2.3"
#define PATIENCE "5" /* seconds: dnsmasq pings an address for three before it offers it */

struct boot {
	struct ip_option ip[IP_OPTIONS_MAX];
	size_t ip_count;
	char command[COMMAND_LINE_MAX];
	bool has_command;
	pid_t resolver; /* -1: there is none */
	struct timespec resolver_started;
};

/* ---- The kernel command line ---- */

static void take_ip_option(struct boot *boot, const char *value)
{
	const char *wrong;

	if (boot->ip_count == IP_OPTIONS_MAX) {
		log_line("init: ip=%s: more than %d of them, ignored", value, IP_OPTIONS_MAX);
		return;
	}
	wrong = ip_option_parse(value, &boot->ip[boot->ip_count]);
	if (wrong)
		log_line("init: ip=%s: %s, ignored", value, wrong);
	else
		boot->ip_count++;
}

static void take_command(struct boot *boot, const char *value)
{
	boot->has_command = true;
	snprintf(boot->command, sizeof(boot->command), "%s", value);
	if (percent_decode(boot->command))
		return;
	log_line("init: vitrine.run: malformed percent encoding");
	strcpy(boot->command, "exit 127");
}

static void read_command_line(struct boot *boot)
{
	char text[COMMAND_LINE_MAX], word[COMMAND_LINE_MAX];
	const char *cursor = text;
	int file = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, text, sizeof(text) - 1);

	if (file >= 0)
		close(file);
	if (length < 0) {
		log_line("init: cannot read /proc/cmdline: %s", strerror(errno));
		return;
	}
	text[length] = '\0';
	while (command_line_next(&cursor, word, sizeof(word))) {
		const char *value = command_line_value(word, "ip");

		if (value)
			take_ip_option(boot, value);
		value = command_line_value(word, "vitrine.run");
		if (value)
			take_command(boot, value);
	}
}

static time_t seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - then->tv_sec;
}

/* ---- The network ---- */

static void start_dhcp(const char *name, const struct ip_option *option, int ready_fd)
{
	char ready[16], address[20];
	char *arguments[16] = {
		"dhcpc",  "-i",         (char *)name, "-f",         "-t",
		PATIENCE, "--fallback", FALLBACK,     "--ready-fd", ready,
	};
	unsigned count = 10;
	pid_t child = fork();

	if (child != 0) {
		if (child < 0)
			log_line("init: %s: cannot start dhcpc: %s", name, strerror(errno));
		return;
	}
	snprintf(ready, sizeof(ready), "%d", ready_fd);
	if (option && option->hostname[0]) {
		arguments[count++] = "-H";
		arguments[count++] = (char *)option->hostname;
	}
	if (option && option->client != 0) {
		snprintf(address, sizeof(address), "%u.%u.%u.%u", option->client >> 24,
			 option->client >> 16 & 255, option->client >> 8 & 255,
			 option->client & 255);
		arguments[count++] = "-r";
		arguments[count++] = address;
	}
	execv("/bin/dhcpc", arguments);
	log_line("init: %s: cannot run /bin/dhcpc: %s", name, strerror(errno));
	_exit(COMMAND_NOT_RUN);
}

/* The machine's name server. `ready_fd` is closed when it can be asked; NO_READY_FD: none is. */
static void start_resolver(struct boot *boot, int ready_fd)
{
	char ready[16];
	char *arguments[] = {"resolver", "--ready-fd", ready, NULL};

	clock_gettime(CLOCK_MONOTONIC, &boot->resolver_started);
	boot->resolver = fork();
	if (boot->resolver < 0)
		log_line("init: cannot start the resolver: %s", strerror(errno));
	if (boot->resolver != 0)
		return;
	if (ready_fd == NO_READY_FD)
		arguments[1] = NULL;
	snprintf(ready, sizeof(ready), "%d", ready_fd);
	execv("/bin/resolver", arguments);
	log_line("init: cannot run /bin/resolver: %s", strerror(errno));
	_exit(COMMAND_NOT_RUN);
}

static void configure_static(const char *name, const struct ip_option *option)
{
	struct netconfig config;

	memset(&config, 0, sizeof(config));
	config.address = option->client;
	config.netmask = option->netmask;
	config.broadcast = option->client | ~option->netmask;
	netconfig_add_gateway(&config, option->gateway);
	for (unsigned i = 0; i < 2 && option->dns[i] != 0; i++)
		config.dns[config.dns_count++] = option->dns[i];
	config.origin = "static";
	netconfig_apply(name, &config, NULL);
}

static void configure_interface(const struct boot *boot, const char *name, bool first, int ready_fd)
{
	const struct ip_option *option = ip_option_for(boot->ip, boot->ip_count, name, first);

	if (!option || option->method == IP_METHOD_DHCP)
		start_dhcp(name, option, ready_fd);
	else if (option->method == IP_METHOD_STATIC)
		configure_static(name, option);
}

static void configure_loopback(void)
{
	int error = netif_set_address("lo", 0x7f000001, 0xff000000, 0);

	if (!error)
		error = netif_set_up("lo", true);
	if (error)
		log_line("init: lo: %s", strerror(-error));
}

/* An ip= that names a device which is not there is most likely a mistake. */
static void check_devices(const struct boot *boot)
{
	for (size_t i = 0; i < boot->ip_count; i++) {
		const char *device = boot->ip[i].device;

		if (device[0] && netif_index(device) < 0)
			log_line("init: ip=: there is no interface %s", device);
	}
}

static void set_host_name(const struct boot *boot)
{
	const char *name = "vitrine";

	for (size_t i = 0; i < boot->ip_count; i++)
		if (boot->ip[i].hostname[0])
			name = boot->ip[i].hostname;
	sethostname(name, strlen(name));
}

/*
 * Each dhcpc holds the writing end of a pipe until its interface is configured, and the resolver
 * until it can be asked, or until they die: when all have let go, the reading end, which is
 * returned, is at its end.
 */
static int configure_network(struct boot *boot)
{
	int ready[2];
	char name[16];

	set_host_name(boot);
	configure_loopback();
	check_devices(boot);
	if (pipe2(ready, 0) < 0) {
		log_line("init: pipe: %s", strerror(errno));
		return -1;
	}
	fcntl(ready[0], F_SETFD, FD_CLOEXEC);
	for (unsigned i = 0;; i++) {
		snprintf(name, sizeof(name), "eth%u", i);
		if (netif_index(name) < 0)
			break;
		configure_interface(boot, name, i == 0, ready[1]);
	}
	start_resolver(boot, ready[1]);
	close(ready[1]);
	return ready[0];
}

static void wait_for_network(int ready_fd)
{
	char byte;

	while (read(ready_fd, &byte, 1) > 0 || errno == EINTR)
		errno = 0;
}

/* ---- The console ---- */

static void open_console(void)
{
	int console = open("/dev/console", O_RDWR);

	if (console < 0)
		return;
	for (int fd = 0; fd < 3; fd++)
		if (fd != console)
			dup2(console, fd);
	if (console > 2)
		close(console);
}

/* In a child: a session of its own, with the console as its terminal, so that Ctrl-C reaches it. */
__attribute__((noreturn)) static void run_on_console(char *const arguments[])
{
	setsid();
	open_console();
	ioctl(STDIN_FILENO, TIOCSCTTY, 0);
	execv("/bin/sh", arguments);
	log_line("init: cannot run /bin/sh: %s", strerror(errno));
	_exit(COMMAND_NOT_RUN);
}

static pid_t start_on_console(char *const arguments[])
{
	pid_t child = fork();

	if (child == 0)
		run_on_console(arguments);
	if (child < 0)
		log_line("init: fork: %s", strerror(errno));
	return child;
}

/* One that was killed takes nothing with it but its cache; one that was told to end, ends. */
static void resolver_ended(struct boot *boot, int status)
{
	boot->resolver = -1;
	if (WIFEXITED(status))
		return;
	/* One that cannot run must not be started in a tight circle. */
	if (seconds_since(&boot->resolver_started) < 1) {
		log_line("init: the resolver died of signal %d at once", WTERMSIG(status));
		return;
	}
	log_line("init: the resolver died of signal %d and is started again", WTERMSIG(status));
	start_resolver(boot, NO_READY_FD);
}

/* Waits for this child, and buries whatever else ends meanwhile. Returns its wait status. */
static int wait_for(struct boot *boot, pid_t wanted)
{
	int status = COMMAND_NOT_RUN << 8;

	for (;;) {
		pid_t ended = waitpid(-1, &status, 0);

		if (ended == wanted)
			return status;
		if (ended > 0 && ended == boot->resolver)
			resolver_ended(boot, status);
		if (ended < 0 && errno != EINTR)
			return COMMAND_NOT_RUN << 8;
	}
}

__attribute__((noreturn)) static void run_command(struct boot *boot, int ready_fd)
{
	char *script = NULL;
	char *arguments[] = {"sh", "-c", (char *)boot->command, NULL};
	pid_t child;
	int status;

	/* Aliases hold from the next line on. */
	if (asprintf(&script, ". /etc/programs\n%s", boot->command) >= 0)
		arguments[2] = script;
	if (ready_fd >= 0)
		wait_for_network(ready_fd);
	child = start_on_console(arguments);
	status = child < 0 ? COMMAND_NOT_RUN << 8 : wait_for(boot, child);
	/* What the command wrote comes before the line that ends everything. */
	tcdrain(STDOUT_FILENO);
	log_line("vitrine: exit %d",
		 WIFSIGNALED(status) ? SIGNAL_STATUS + WTERMSIG(status) : WEXITSTATUS(status));
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

__attribute__((noreturn)) static void run_shells(struct boot *boot)
{
	char *arguments[] = {"sh", "-l", NULL};

	printf("\nVitrine. Try ping, resolve, dhcpc, udpecho, or any command of busybox; "
	       "poweroff ends the machine.\n");
	fflush(stdout);
	for (;;) {
		struct timespec before;
		pid_t child;

		clock_gettime(CLOCK_MONOTONIC, &before);
		child = start_on_console(arguments);
		if (child > 0)
			wait_for(boot, child);
		/* A shell that cannot run must not be started in a tight circle. */
		if (child < 0 || seconds_since(&before) < 1)
			sleep(1);
	}
}

/* ---- Process 1 ---- */

/* busybox's halt, poweroff and reboot ask process 1 by signal. reboot(2) is safe in a handler. */
static void on_power_signal(int number)
{
	reboot(number == SIGUSR2 ? RB_POWER_OFF : number == SIGTERM ? RB_AUTOBOOT : RB_HALT_SYSTEM);
}

static void set_signals(void)
{
	static const int power_signals[] = {SIGUSR1, SIGUSR2, SIGTERM};
	struct sigaction action = {.sa_handler = on_power_signal};

	for (size_t i = 0; i < sizeof(power_signals) / sizeof(power_signals[0]); i++)
		sigaction(power_signals[i], &action, NULL);
}

static void set_environment(void)
{
	clearenv();
	setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	setenv("SHELL", "/bin/sh", 1);
	setenv("TERM", "vt100", 1);
	chdir("/root");
}

static void make_directories(void)
{
	static const char *const directories[] = {
		"/root", "/run", "/run/net", "/tmp", "/var", "/var/log", "/var/run", "/dev/shm",
	};

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		mkdir(directories[i], 0755);
	chmod("/tmp", 01777);
	chmod("/dev/shm", 01777);
}

static void make_descriptor_links(void)
{
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
}

int main(void)
{
	static struct boot boot;
	int ready_fd;

	if (getpid() != 1) {
		fputs("init: only the kernel starts this program, as process 1\n", stderr);
		return 2;
	}
	open_console();
	make_directories();
	make_descriptor_links();
	set_environment();
	set_signals();
	read_command_line(&boot);
	ready_fd = configure_network(&boot);
	if (boot.has_command)
		run_command(&boot, ready_fd);
	if (ready_fd >= 0)
		close(ready_fd);
	run_shells(&boot);
}
