/* The files of /proc/net and /proc/sys/net/ipv4 that IPv4 serves. */
#include "kernel/errno.h"
#include "kernel/procfs/procfs.h"
#include "kernel/string.h"
#include "net/ipv4/igmp.h"
#include "net/ipv4/ipv4_state.h"
#include "net/ipv4/ping.h"
#include "net/ipv4/raw.h"
#include "net/ipv4/udp.h"

static int register_texts(struct net *net)
{
	static const struct {
		const char *path;
		proc_show *show;
	} files[] = {
		{"net/route", route_show},
		{"net/snmp", ip4_show_snmp},
		{"net/netstat", ip4_show_netstat},
		{"net/sockstat", ip4_show_sockstat},
		{"net/udp", udp_show},
		{"net/udplite", udp_lite_show},
		{"net/raw", raw_show},
		{"net/icmp", ping_show},
		{"net/igmp", igmp_show},
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (proc_register(files[i].path, files[i].show, net))
			return -ENOMEM;
	}
	return 0;
}

static int register_numbers(struct ip4_settings *settings)
{
	const struct {
		const char *path;
		int32_t *values;
		uint32_t count;
		int32_t min, max;
	} files[] = {
		{"ip_forward", &settings->ip_forward, 1, 0, 1},
		{"ip_default_ttl", &settings->ip_default_ttl, 1, 1, 255},
		{"ip_local_port_range", settings->ip_local_port_range, 2, 1, 65535},
		{"icmp_echo_ignore_all", &settings->icmp_echo_ignore_all, 1, 0, 1},
		{"icmp_echo_ignore_broadcasts", &settings->icmp_echo_ignore_broadcasts, 1, 0, 1},
		{"icmp_ratelimit", &settings->icmp_ratelimit, 1, 0, 3600 * 1000},
		{"ping_group_range", settings->ping_group_range, 2, 0, INT32_MAX},
		{"ipfrag_high_thresh", &settings->ipfrag_high_thresh, 1, 0, 64 << 20},
		{"ipfrag_time", &settings->ipfrag_time, 1, 1, 3600},
		{"igmp_max_memberships", &settings->igmp_max_memberships, 1, 0, 1000},
	};
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "sys/net/ipv4/%s", files[i].path);
		if (proc_register_numbers(path, files[i].values, files[i].count, files[i].min,
					  files[i].max))
			return -ENOMEM;
	}
	return 0;
}

int ipv4_proc_init(struct net *net)
{
	int error = register_texts(net);

	if (!error)
		error = inet6_files_init();
	if (!error)
		error = proc_register_writable("sys/net/ipv4/route/ecn", route_show_ecn,
					       route_store_ecn, net);
	return error ? error : register_numbers(&ip4_stack(net)->settings);
}
