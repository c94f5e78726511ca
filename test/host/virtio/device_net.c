/*
 * The network device of the model: frames in, frames out, control commands (VIRTIO 1.2 section
 * 5.1).
 */
#include "test/host/virtio/device_model.h"

#include <string.h>

#define MERGE_MAX 64 /* buffers that one frame may fill */

static size_t header_length(const struct virtio_model *model)
{
	if (model->options.legacy && !model_has(model, VIRTIO_NET_F_MRG_RXBUF))
		return VIRTIO_NET_HEADER_LENGTH_LEGACY;
	return VIRTIO_NET_HEADER_LENGTH;
}

/*
 * 5.1.6.1, 2.7.4.3: without ANY_LAYOUT a legacy device wants the header in a segment of its own.
 */
static void check_layout(struct virtio_model *model, const struct model_chain *chain)
{
	if (!model->options.legacy || model_has(model, VIRTIO_F_ANY_LAYOUT))
		return;
	if (chain->count < 2 || chain->segments[0].length != header_length(model))
		model_violation(model, "header that shares its segment");
}

/* Copies the chain's readable bytes; returns how many there are, at most `room`. */
static size_t gather(const struct model_chain *chain, uint8_t *to, size_t room)
{
	size_t n = 0;

	for (uint32_t i = 0; i < chain->count && !chain->segments[i].writable; i++) {
		size_t part = chain->segments[i].length;

		if (part > room - n)
			part = room - n;
		memcpy(to + n, chain->segments[i].bytes, part);
		n += part;
	}
	return n;
}

/* Writes into the chain's writable bytes; returns how many fitted. */
static size_t scatter(const struct model_chain *chain, const uint8_t *from, size_t length)
{
	size_t n = 0;

	for (uint32_t i = 0; i < chain->count && n < length; i++) {
		size_t part = chain->segments[i].length;

		if (!chain->segments[i].writable)
			continue;
		if (part > length - n)
			part = length - n;
		memcpy(chain->segments[i].bytes, from + n, part);
		n += part;
	}
	return n;
}

/* 5.1.6.2: what the header asks for must have been negotiated, and make sense. */
static void check_checksum_request(struct virtio_model *model,
				   const struct virtio_net_header *header, size_t length)
{
	if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return;
	if (!model_has(model, VIRTIO_NET_F_CSUM) ||
	    header->csum_start + header->csum_offset + 2u > length)
		model_violation(model, "checksum asked for at %u + %u", header->csum_start,
				header->csum_offset);
}

static bool may_segment(const struct virtio_model *model, uint8_t gso_type)
{
	if ((gso_type & VIRTIO_NET_HDR_GSO_ECN) && !model_has(model, VIRTIO_NET_F_HOST_ECN))
		return false;
	switch (gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return model_has(model, VIRTIO_NET_F_HOST_TSO4);
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return model_has(model, VIRTIO_NET_F_HOST_TSO6);
	default:
		return false;
	}
}

static void check_segmentation_request(struct virtio_model *model,
				       const struct virtio_net_header *header, size_t length)
{
	if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return;
	if (!may_segment(model, header->gso_type) || header->gso_size == 0 ||
	    !(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || header->header_length > length)
		model_violation(model, "segmentation asked for: type %#x, size %u, headers %u",
				header->gso_type, header->gso_size, header->header_length);
}

/* False: the wire is busy, and the chain is to be put back. */
static bool transmit(struct virtio_model *model, const struct model_chain *chain)
{
	uint8_t *bytes = model->outgoing;
	struct virtio_net_header header = {0};
	size_t skip = header_length(model);
	size_t length = gather(chain, bytes, sizeof(model->outgoing));

	check_layout(model, chain);
	if (chain->writable > 0 || length < skip + 14) {
		model_violation(model, "transmit chain of %u and %u bytes", chain->readable,
				chain->writable);
		return true;
	}
	memcpy(&header, bytes, skip);
	check_checksum_request(model, &header, length - skip);
	check_segmentation_request(model, &header, length - skip);
	return !model->events.transmitted ||
	       model->events.transmitted(model->events.context, &header, bytes + skip,
					 length - skip);
}

/*
 * One table: a count and as many addresses. Returns its length, or 0 when it is cut or too long.
 */
static size_t read_mac_table(const uint8_t *data, size_t length, uint32_t *count,
			     uint8_t (*macs)[6])
{
	uint32_t n;

	if (length < sizeof(n))
		return 0;
	memcpy(&n, data, sizeof(n));
	if (n > MODEL_FILTER_MAX || length < sizeof(n) + 6ull * n)
		return 0;
	memcpy(macs, data + sizeof(n), 6ull * n);
	*count = n;
	return sizeof(n) + 6ull * n;
}

static bool set_mac_tables(struct virtio_model *model, const uint8_t *data, size_t length)
{
	size_t unicast = read_mac_table(data, length, &model->unicast_count, model->unicast);

	model->filter_set = true;
	return unicast > 0 &&
	       length - unicast == read_mac_table(data + unicast, length - unicast,
						  &model->multicast_count, model->multicast);
}

static bool control(struct virtio_model *model, const uint8_t *bytes, size_t length)
{
	if (length < 2)
		return false;
	uint8_t class = bytes[0], command = bytes[1];

	if (class == VIRTIO_NET_CTRL_MAC && command == VIRTIO_NET_CTRL_MAC_TABLE_SET)
		return set_mac_tables(model, bytes + 2, length - 2);
	if (class != VIRTIO_NET_CTRL_RX || length != 3 || command > VIRTIO_NET_CTRL_RX_ALLMULTI)
		return false;
	if (command == VIRTIO_NET_CTRL_RX_PROMISC)
		model->promiscuous = bytes[2];
	else
		model->all_multicast = bytes[2];
	return true;
}

static uint32_t serve_control(struct virtio_model *model, const struct model_chain *chain)
{
	uint8_t bytes[1024], answer = VIRTIO_NET_OK;
	size_t length = gather(chain, bytes, sizeof(bytes));

	model->control_commands++;
	if (!control(model, bytes, length)) {
		model_violation(model, "control command of %zu bytes", length);
		answer = 1;
	}
	return (uint32_t)scatter(chain, &answer, 1);
}

uint32_t model_serve(struct virtio_model *model, uint16_t queue)
{
	struct model_chain chain;
	uint32_t served = 0;

	if (queue == VIRTIO_NET_QUEUE_RX)
		return 0; /* more buffers: they are used when a frame comes */
	while (model_take(model, queue, &chain)) {
		uint32_t written = 0;

		if (queue == VIRTIO_NET_QUEUE_CONTROL)
			written = serve_control(model, &chain);
		else if (!transmit(model, &chain)) {
			model_untake(model, queue);
			break;
		}
		model_put_used(model, queue, chain.head, written);
		served++;
	}
	model_publish_used(model, queue);
	return served;
}

static bool is_listed(const uint8_t (*macs)[6], uint32_t count, const uint8_t *mac)
{
	for (uint32_t i = 0; i < count; i++)
		if (memcmp(macs[i], mac, sizeof(macs[i])) == 0)
			return true;
	return false;
}

bool model_wants(const struct virtio_model *model, const uint8_t *frame, size_t length)
{
	static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};

	if (!model->filter_set || model->promiscuous || length < sizeof(broadcast))
		return true;
	if (memcmp(frame, broadcast, sizeof(broadcast)) == 0)
		return true;
	if (frame[0] & 1)
		return model->all_multicast ||
		       is_listed(model->multicast, model->multicast_count, frame);
	return memcmp(frame, model->config.mac, sizeof(model->config.mac)) == 0 ||
	       is_listed(model->unicast, model->unicast_count, frame);
}

/* This model wants the whole header in the first segment, as drivers have it. */
static void write_num_buffers(struct virtio_model *model, const struct model_chain *first,
			      uint16_t count)
{
	if (first->segments[0].length < VIRTIO_NET_HEADER_LENGTH)
		model_violation(model, "first segment of %u bytes", first->segments[0].length);
	else
		memcpy(first->segments[0].bytes + offsetof(struct virtio_net_header, num_buffers),
		       &count, sizeof(count));
}

/* Fills as many receive chains as it takes. Returns how many, or 0: there were not enough. */
static uint32_t fill_chains(struct virtio_model *model, const uint8_t *bytes, size_t total,
			    struct model_chain *first)
{
	uint32_t most = model_has(model, VIRTIO_NET_F_MRG_RXBUF) ? MERGE_MAX : 1, n = 0;
	struct model_chain chain;
	size_t done = 0;

	while (done < total && n < most && model_take(model, VIRTIO_NET_QUEUE_RX, &chain)) {
		if (chain.readable > 0 || chain.writable < header_length(model))
			model_violation(model, "receive chain of %u bytes", chain.writable);
		check_layout(model, &chain);
		if (n++ == 0)
			*first = chain;
		size_t part = scatter(&chain, bytes + done, total - done);

		model_put_used(model, VIRTIO_NET_QUEUE_RX, chain.head, (uint32_t)part);
		done += part;
	}
	return done == total ? n : 0;
}

bool model_receive(struct virtio_model *model, const struct virtio_net_header *header,
		   const void *frame, size_t length)
{
	uint8_t *bytes = model->incoming;
	size_t skip = header_length(model);
	struct model_queue *queue = model_ready_queue(model, VIRTIO_NET_QUEUE_RX);
	struct model_chain first;

	if (!queue || length > MODEL_FRAME_MAX)
		return false;
	memset(bytes, 0, skip);
	if (header)
		memcpy(bytes, header, skip);
	memcpy(bytes + skip, frame, length);

	uint16_t next_available = queue->next_available, used_index = queue->used_index;
	uint32_t buffers = fill_chains(model, bytes, skip + length, &first);

	if (buffers == 0) {
		/* Lost; the buffers serve the next frame. */
		queue->next_available = next_available;
		queue->used_index = used_index;
		return false;
	}
	if (skip == VIRTIO_NET_HEADER_LENGTH && !(header && header->num_buffers))
		write_num_buffers(model, &first, (uint16_t)buffers);
	model_publish_used(model, VIRTIO_NET_QUEUE_RX);
	return true;
}

bool model_may_fit_later(struct virtio_model *model)
{
	uint32_t available = model_available(model, VIRTIO_NET_QUEUE_RX);

	if (!model_has(model, VIRTIO_NET_F_MRG_RXBUF))
		return available == 0;
	return available < MERGE_MAX && available < model->queues[VIRTIO_NET_QUEUE_RX].size;
}
