/*
 * The front door: the whole boot order on one page. The one file that may know everybody.
 */
#include "kernel/main.h"
#include "drivers/virtio/virtio_mmio.h"
#include "drivers/virtio/virtio_net.h"
#include "kernel/clock.h"
#include "kernel/devicetree.h"
#include "kernel/event/event.h"
#include "kernel/exec/exec.h"
#include "kernel/fs/cpio.h"
#include "kernel/fs/fs.h"
#include "kernel/irq.h"
#include "kernel/machine.h"
#include "kernel/mm/memory.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"
#include "kernel/printk.h"
#include "kernel/proc/process.h"
#include "kernel/proc/sched.h"
#include "kernel/procfs/proc_files.h"
#include "kernel/random.h"
#include "kernel/signal/signal.h"
#include "kernel/softirq.h"
#include "kernel/sysrq.h"
#include "kernel/time/time.h"
#include "kernel/tty/console.h"
#include "kernel/tty/pty.h"
#include "net/core/netdevice.h"
#include "net/core/poller.h"
#include "net/core/socket.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/ipv4.h"
#include "net/netlink/netlink.h"
#include "net/tcp/tcp.h"
#include "net/unix/unix.h"

/* The machine's one stack, and what drives it. */
static struct net machine_net;
static struct timer net_timer;
static struct virtio_bus virtio_bus;
static struct virtio_net_driver virtio_net_driver;

struct net *current_net(void)
{
	return &machine_net;
}

static uint64_t net_now_us(void *context __unused)
{
	return clock_now_us();
}

static uint64_t net_realtime_us(void *context __unused)
{
	return clock_realtime_ns() / NSEC_PER_USEC;
}

static void net_random(void *context __unused, void *to, size_t n)
{
	random_bytes(to, n);
}

static void net_timer_moved(void *context __unused, uint64_t when_us)
{
	if (when_us == TIME_NEVER)
		clock_timer_cancel(&net_timer);
	else
		clock_timer_arm(&net_timer, when_us);
}

static void net_timer_fired(struct timer *timer __unused)
{
	net_run_timers(&machine_net);
}

static void net_work_raised(void *context __unused)
{
	softirq_raise(SOFTIRQ_NET_RX);
}

static void net_softirq(void *context __unused)
{
	if (net_run_softirq(&machine_net))
		softirq_raise(SOFTIRQ_NET_RX);
}

/* /proc, /sys and the files there that tell of the kernel itself. */
static void start_proc_files(void)
{
	procfs_init();
	proc_pid_init();
	proc_system_init();
	meminfo_init();
	cpuinfo_init();
	file_statistics_init();
	sysfs_init();
}

static void must(int error, const char *what)
{
	if (error)
		panic("%s: error %d", what, error);
}

static void start_network(void)
{
	const struct net_environment environment = {
		.now_us = net_now_us,
		.realtime_us = net_realtime_us,
		.random_bytes = net_random,
		.timer_moved = net_timer_moved,
		.work_raised = net_work_raised,
	};

	timer_init(&net_timer, net_timer_fired);
	softirq_register(SOFTIRQ_NET_RX, net_softirq, NULL);
	must(net_init(&machine_net, &environment), "net");
	must(packet_init(&machine_net), "packet sockets");
	must(unix_init(&machine_net), "unix sockets");
	must(ethernet_init(&machine_net), "ethernet");
	must(ipv4_init(&machine_net), "ipv4");
	must(tcp_init(&machine_net), "tcp");
	must(netlink_init(&machine_net), "netlink");
	must(netdev_proc_init(&machine_net), "/proc/net/dev");
	must(netdev_sysfs_init(&machine_net), "/sys/class/net");
	must(packet_proc_init(&machine_net), "/proc/net/packet");
	must(unix_proc_init(&machine_net), "/proc/net/unix");
	must(ethernet_proc_init(&machine_net), "/proc/net/arp");
	must(ipv4_proc_init(&machine_net), "/proc/net/route");
	must(tcp_proc_init(&machine_net), "/proc/net/tcp");
	must(netlink_proc_init(&machine_net), "/proc/net/netlink");
	socket_syscalls_init();

	virtio_bus_init(&virtio_bus);
	virtio_net_register(&virtio_net_driver, &virtio_bus, &machine_net);
	virtio_mmio_discover(&virtio_bus);
}

static int unpack_archive(struct dt_range archive)
{
	if (archive.start == archive.end)
		return 0;
	int error = cpio_unpack(phys_to_virt(archive.start), archive.end - archive.start);

	page_free_range(archive.start, archive.end);
	return error;
}

static void unpack_initramfs(void)
{
	must(unpack_archive(memory_embedded_initramfs()), "initramfs");
	/* What the user adds may be broken; the machine works without it. */
	if (unpack_archive(memory_initrd()))
		printk("initrd: not all of it could be unpacked\n");
}

void kernel_main(uint64_t device_tree)
{
	devicetree_init(device_tree);
	cpu_init();
	memory_init();
	machine_init();
	random_init();
	irq_init();

	sched_init();
	clock_init();
	softirq_init();
	irq_enable();

	fs_init();
	start_proc_files();
	console_init();
	pty_init();
	unpack_initramfs();
	fs_syscalls_init();
	event_syscalls_init();
	vm_syscalls_init();
	process_syscalls_init();
	exec_syscalls_init();
	signal_syscalls_init();
	time_syscalls_init();
	must(sysrq_init(), "/proc/sysrq-trigger");

	start_network();
	process_start_init();
	sched_idle();
}
