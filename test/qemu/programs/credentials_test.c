/* What a process may do that gave up being user 0, and what capabilities say about it. */
#define _GNU_SOURCE 1
#include "test/qemu/programs/check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <net/route.h>
#include <netpacket/packet.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define ALL ((1ull << (CAP_LAST_CAP + 1)) - 1)
#define BIT(capability) (1ull << (capability))

struct sets {
	uint64_t effective, permitted;
};

static struct sets capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	CHECK(syscall(SYS_capget, &header, data) == 0);
	return (struct sets){
		data[0].effective | (uint64_t)data[1].effective << 32,
		data[0].permitted | (uint64_t)data[1].permitted << 32,
	};
}

static int set_capabilities(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {
		{.effective = (uint32_t)effective, .permitted = (uint32_t)permitted},
		{.effective = (uint32_t)(effective >> 32),
		 .permitted = (uint32_t)(permitted >> 32)},
	};

	return (int)syscall(SYS_capset, &header, data);
}

static int bind_to(int type, uint16_t port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, type, 0), result;

	CHECK(fd >= 0);
	result = bind(fd, (struct sockaddr *)&name, sizeof(name));
	close(fd);
	return result;
}

static void expect_no_rights(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	struct rtentry route = {0};
	struct rlimit limit;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_ERROR(bind_to(SOCK_STREAM, 1023), EACCES);
	CHECK_ERROR(bind_to(SOCK_DGRAM, 53), EACCES);
	CHECK(bind_to(SOCK_STREAM, 1024) == 0 && bind_to(SOCK_DGRAM, 0) == 0);
	CHECK_ERROR(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
	CHECK_ERROR(socket(AF_PACKET, SOCK_RAW, 0), EPERM);
	CHECK_ERROR(socket(AF_PACKET, SOCK_DGRAM, 0), EPERM);
	CHECK(fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0);
	CHECK_ERROR(ioctl(fd, SIOCSIFFLAGS, &request), EPERM);
	CHECK_ERROR(ioctl(fd, SIOCSIFMTU, &request), EPERM);
	CHECK_ERROR(ioctl(fd, SIOCADDRT, &route), EPERM);
	close(fd);
	CHECK_ERROR(chroot("/tmp"), EPERM);
	CHECK_ERROR(reboot(RB_AUTOBOOT), EPERM);
	CHECK_ERROR(sethostname("x", 1), EPERM);
	CHECK_ERROR(mknod("/tmp/device", S_IFCHR | 0600, 0), EPERM);
	CHECK_ERROR(open("/proc/sys/net/ipv4/ip_forward", O_WRONLY), EACCES);
	CHECK_ERROR(setgroups(0, NULL), EPERM);
	CHECK_ERROR(chown("/tmp", 1000, 1000), EPERM);
	CHECK_ERROR(chmod("/etc/passwd", 0666), EPERM);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_max++;
	CHECK_ERROR(setrlimit(RLIMIT_NOFILE, &limit), EPERM);
}

static int drop(void)
{
	int fd;

	CHECK(setgroups(0, NULL) == 0 && setresgid(1000, 1000, 1000) == 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK(capabilities().effective == 0 && capabilities().permitted == 0);
	CHECK_ERROR(setuid(0), EPERM);
	CHECK_ERROR(setresuid(-1, 0, -1), EPERM);
	CHECK_ERROR(setgid(0), EPERM);
	CHECK_ERROR(set_capabilities(BIT(CAP_NET_RAW), BIT(CAP_NET_RAW)), EPERM);
	expect_no_rights();
	CHECK_ERROR(kill(1, SIGTERM), EPERM);
	CHECK_ERROR(kill(1, 0), EPERM);
	fd = open("/tmp/own", O_CREAT | O_RDWR | O_TRUNC, 0600);
	CHECK(fd >= 0 && fchmod(fd, 0644) == 0 && fchown(fd, 1000, 1000) == 0);
	CHECK_ERROR(fchown(fd, 0, -1), EPERM);
	CHECK_ERROR(fchown(fd, -1, 0), EPERM);
	CHECK(unlink("/tmp/own") == 0 && close(fd) == 0);
	return 0;
}

static void dropped_for_good(void)
{
	CHECK(status_of(drop) == 0);
	CHECK(capabilities().effective == ALL && capabilities().permitted == ALL);
	CHECK(bind_to(SOCK_STREAM, 1023) == 0);
}

/* Only the effective user changes: the rights rest, and come back with it. */
static int drop_for_a_while(void)
{
	CHECK(seteuid(1000) == 0);
	CHECK(capabilities().effective == 0 && capabilities().permitted == ALL);
	expect_no_rights();
	CHECK(kill(1, 0) == 0); /* it goes by the real user too */
	CHECK(seteuid(0) == 0 && capabilities().effective == ALL);
	return bind_to(SOCK_STREAM, 1023);
}

static void dropped_for_a_while(void)
{
	CHECK(status_of(drop_for_a_while) == 0);
}

/* What dnsmasq does: another user, but some of the rights. */
static int keep_some(void)
{
	CHECK(prctl(PR_GET_KEEPCAPS) == 0 && prctl(PR_SET_KEEPCAPS, 1) == 0);
	CHECK(prctl(PR_GET_KEEPCAPS) == 1);
	CHECK(setuid(1000) == 0);
	CHECK(capabilities().effective == 0 && capabilities().permitted == ALL);
	CHECK_ERROR(bind_to(SOCK_STREAM, 1023), EACCES);
	CHECK(set_capabilities(BIT(CAP_NET_BIND_SERVICE), BIT(CAP_NET_BIND_SERVICE)) == 0);
	CHECK(bind_to(SOCK_STREAM, 1023) == 0);
	CHECK_ERROR(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
	CHECK_ERROR(set_capabilities(BIT(CAP_NET_RAW), BIT(CAP_NET_RAW)), EPERM);
	CHECK(set_capabilities(0, 0) == 0);
	CHECK_ERROR(bind_to(SOCK_STREAM, 1023), EACCES);
	return 0;
}

static void kept_rights(void)
{
	CHECK(status_of(keep_some) == 0);
}

/* The user stays 0, but gives rights up: they are gone, until execve. */
static int give_up_as_root(void)
{
	uint64_t rest = ALL & ~BIT(CAP_NET_RAW);

	CHECK_ERROR(set_capabilities(ALL, rest), EPERM);
	CHECK(set_capabilities(rest, rest) == 0);
	CHECK_ERROR(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
	CHECK_ERROR(set_capabilities(ALL, ALL), EPERM);
	CHECK(bind_to(SOCK_STREAM, 1023) == 0);
	return 0;
}

static void given_up_by_root(void)
{
	CHECK(status_of(give_up_as_root) == 0);
}

static int run_other_program(void)
{
	CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0 && setuid(1000) == 0);
	CHECK(set_capabilities(ALL, ALL) == 0);
	execl("/bin/sh", "sh", "-c", "grep -q 'CapEff:.0000000000000000' /proc/self/status", NULL);
	return 1;
}

static void rights_do_not_outlive_exec(void)
{
	CHECK(status_of(run_other_program) == 0);
}

static int restrict_myself(void)
{
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	CHECK_ERROR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK_ERROR(prctl(PR_SET_SECCOMP, 1), EINVAL);
	CHECK_ERROR(syscall(SYS_seccomp, 0, 0, NULL), ENOSYS);
	return 0;
}

static void what_is_refused(void)
{
	CHECK(status_of(restrict_myself) == 0);
}

RUN_TESTS({"dropped for good", dropped_for_good}, {"dropped for a while", dropped_for_a_while},
	  {"kept rights", kept_rights}, {"given up by root", given_up_by_root},
	  {"rights do not outlive exec", rights_do_not_outlive_exec},
	  {"what is refused", what_is_refused})
