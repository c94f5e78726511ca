/* The device model on a TAP; see tap_device.h. */
#include "test/host/tap/tap_device.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "test/host/tap/tap.h"

#define FRAMES_AT_ONCE 64 /* read before the driver gets its turn */
#define QUEUE_SIZE 256

_Static_assert(sizeof(struct virtio_net_header) == VIRTIO_NET_HEADER_LENGTH, "as the TAP has it");

#define FEATURES_ALWAYS                                                                        \
	(VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_NET_F_MAC | \
	 VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MTU | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX)
#define FEATURES_OFFLOAD                                                             \
	(VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 |       \
	 VIRTIO_NET_F_HOST_ECN | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4 | \
	 VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_GUEST_ECN | VIRTIO_NET_F_MRG_RXBUF)

/* What the driver takes, in the TAP's words. */
static const struct {
	uint64_t feature;
	unsigned int flag;
} offloads[] = {
	{VIRTIO_NET_F_GUEST_CSUM, TUN_F_CSUM},
	{VIRTIO_NET_F_GUEST_TSO4, TUN_F_TSO4},
	{VIRTIO_NET_F_GUEST_TSO6, TUN_F_TSO6},
	{VIRTIO_NET_F_GUEST_ECN, TUN_F_TSO_ECN},
};

static void show(const struct tap_device *device, const void *frame, size_t length)
{
	if (device->events.frame)
		device->events.frame(device->events.context, frame, length);
}

/* Model to TAP */

/* False: it would block. Whatever else the TAP has against a frame, the frame is lost. */
static bool write_frame(struct tap_device *device, const struct virtio_net_header *header,
			const uint8_t *frame, size_t length)
{
	struct iovec parts[2] = {
		{(void *)(uintptr_t)header, sizeof(*header)},
		{(void *)(uintptr_t)frame, length},
	};
	ssize_t written;

	do
		written = writev(device->tap, parts, 2);
	while (written < 0 && errno == EINTR);
	if (written >= 0)
		return true;
	if (errno == EAGAIN)
		return false;
	device->gone |= errno == EBADFD;
	device->refused++;
	return true;
}

static bool transmitted(void *context, const struct virtio_net_header *header, const uint8_t *frame,
			size_t length)
{
	struct tap_device *device = context;

	device->wire_busy = !write_frame(device, header, frame, length);
	if (device->wire_busy)
		return false;
	show(device, frame, length);
	return true;
}

/* TAP to model */

/* True when the frame is done with: the driver has it, or never will. */
static bool give_kept(struct tap_device *device)
{
	if (!model_wants(&device->model, device->kept.frame, device->kept_length)) {
		device->filtered++;
		return true;
	}
	if (model_receive(&device->model, &device->kept.header, device->kept.frame,
			  device->kept_length))
		return true;
	if (model_may_fit_later(&device->model))
		return false;
	device->too_long++;
	return true;
}

/* Reads one frame into `kept`. False: there is none. */
static bool read_frame(struct tap_device *device)
{
	ssize_t n;

	do
		n = read(device->tap, &device->kept, sizeof(device->kept));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		device->gone |= errno == EBADFD;
	if (n < (ssize_t)sizeof(device->kept.header))
		return false;
	device->kept_length = (size_t)n - sizeof(device->kept.header);
	device->kept.header.num_buffers = 0; /* the model's to say */
	show(device, device->kept.frame, device->kept_length);
	return true;
}

static void receive(struct tap_device *device)
{
	for (int i = 0; i < FRAMES_AT_ONCE && !device->frame_kept; i++) {
		if (!read_frame(device))
			return;
		device->frame_kept = !give_kept(device);
	}
}

/* What the driver does */

static bool notified(void *context, uint16_t queue)
{
	struct tap_device *device = context;

	if (queue == VIRTIO_NET_QUEUE_RX && device->frame_kept)
		device->frame_kept = !give_kept(device);
	return queue != VIRTIO_NET_QUEUE_TX || !device->wire_busy;
}

/*
 * The kernel hands over only what the driver understands; what it would have to segment or sum up
 * otherwise, it then does. A frame kept for the driver from before a reset is lost with the rest.
 */
static void driver_changed(void *context, bool ready)
{
	struct tap_device *device = context;
	unsigned int flags = 0;

	for (size_t i = 0; ready && i < sizeof(offloads) / sizeof(offloads[0]); i++)
		if (model_has(&device->model, offloads[i].feature))
			flags |= offloads[i].flag;
	if (!device->gone)
		tap_set_offload(device->tap, flags);
	device->frame_kept = false;
	device->wire_busy = false;
}

static void interrupt(void *context)
{
	struct tap_device *device = context;

	if (device->events.interrupt)
		device->events.interrupt(device->events.context);
}

void tap_device_init(struct tap_device *device, int tap, const struct tap_device_options *options,
		     const struct tap_device_events *events)
{
	struct model_options model_options = {
		.features = FEATURES_ALWAYS | (options->offload ? FEATURES_OFFLOAD : 0),
		.queue_size = QUEUE_SIZE,
		.mtu = options->mtu,
		.link_up = true,
		.device_id = VIRTIO_ID_NET,
	};
	const struct model_events model_events = {
		.interrupt = interrupt,
		.transmitted = transmitted,
		.notified = notified,
		.driver_changed = driver_changed,
		.context = device,
	};

	memset(device, 0, sizeof(*device));
	device->tap = tap;
	device->events = *events;
	memcpy(model_options.mac, options->mac, sizeof(model_options.mac));
	model_init(&device->model, &model_options, &model_events);
}

uint32_t tap_device_interests(const struct tap_device *device)
{
	uint32_t interests = device->wire_busy ? EPOLLOUT : 0;

	if (!device->frame_kept && model_running(&device->model))
		interests |= EPOLLIN;
	return interests;
}

void tap_device_ready(struct tap_device *device, uint32_t events)
{
	if (events & EPOLLOUT) {
		device->wire_busy = false;
		model_serve(&device->model, VIRTIO_NET_QUEUE_TX);
	}
	/* EPOLLERR, EPOLLHUP: the read says what is wrong. */
	if ((events & ~(uint32_t)EPOLLOUT) && !device->frame_kept)
		receive(device);
}
