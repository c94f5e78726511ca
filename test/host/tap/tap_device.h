/*
 * A virtio network device whose wire is a TAP: the device model (test/host/virtio/) joined to a
 * descriptor of tap.h. There is no stack in it: whoever reads and writes the device's registers
 * is the driver.
 *
 * Its owner waits until the TAP is ready for what tap_device_interests() names (epoll's words) and
 * then calls tap_device_ready(). Nothing is lost in between, and nothing is polled: a frame that
 * the TAP does not take stays in the driver's ring until EPOLLOUT, and while the driver has no
 * buffers the TAP is not read.
 *
 * Not locked: one thread at a time.
 */
#ifndef TEST_HOST_TAP_TAP_DEVICE_H
#define TEST_HOST_TAP_TAP_DEVICE_H

#include "test/host/virtio/device_model.h"

struct tap_device_options {
	uint8_t mac[6];
	uint16_t mtu;
	bool offload; /* checksums, segmentation and merged buffers are offered */
};

/* Each may be NULL. */
struct tap_device_events {
	/* The device's interrupt line. */
	void (*interrupt)(void *context);
	/* A frame enters or leaves the TAP. */
	void (*frame)(void *context, const void *bytes, size_t length);
	void *context;
};

struct tap_device {
	struct virtio_model model;
	struct tap_device_events events;
	int tap;
	bool wire_busy;    /* the TAP would block */
	bool frame_kept;   /* `kept` was read, and the driver had no buffer for it */
	bool gone;         /* the interface was deleted */
	uint64_t filtered; /* frames from the TAP that the driver did not ask for */
	uint64_t refused;  /* frames from the driver that the TAP would not have */
	uint64_t too_long; /* frames from the TAP that fit into no buffer of the driver's */
	size_t kept_length;
	struct {
		struct virtio_net_header header;
		uint8_t frame[MODEL_FRAME_MAX];
	} kept;
};

/* `tap` was opened with its vnet header, and stays the caller's. */
void tap_device_init(struct tap_device *device, int tap, const struct tap_device_options *options,
		     const struct tap_device_events *events);

/* EPOLLIN, EPOLLOUT, both or neither. */
uint32_t tap_device_interests(const struct tap_device *device);

/* The TAP has become ready for `events` (EPOLL*): moves a bounded number of frames. */
void tap_device_ready(struct tap_device *device, uint32_t events);

#endif
