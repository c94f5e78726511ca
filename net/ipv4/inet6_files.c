/*
 * /proc/net/{tcp6,udp6,udplite6,raw6,if_inet6}: there is no IPv6 here, and so no socket and no
 * address of it. Linux without IPv6 has no such files; but netstat and others complain of what they
 * do not find, and a list without entries tells them the same.
 */
#include "kernel/errno.h"
#include "kernel/procfs/procfs.h"
#include "net/ipv4/ipv4_state.h"

static void show_heading(struct text *text, void *heading)
{
	text_printf(text, "%s\n", (const char *)heading);
}

static void show_nothing(struct text *text __unused, void *context __unused)
{
}

int inet6_files_init(void)
{
	static const char tcp[] =
		"  sl  local_address                         remote_address            "
		"            st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
		"inode";
	static const char datagrams[] =
		"  sl  local_address                         remote_address            "
		"            st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode "
		"ref pointer drops";

	if (proc_register("net/tcp6", show_heading, (void *)tcp) ||
	    proc_register("net/udp6", show_heading, (void *)datagrams) ||
	    proc_register("net/udplite6", show_heading, (void *)datagrams) ||
	    proc_register("net/raw6", show_heading, (void *)datagrams) ||
	    proc_register("net/if_inet6", show_nothing, NULL))
		return -ENOMEM;
	return 0;
}
