#include "userland/lib/echo.h"

#include <string.h>

#include "userland/lib/bytes.h"

enum {
	TYPE_REPLY = 0,
	TYPE_REQUEST = 8,
	AT_CHECKSUM = 2,
	AT_IDENTIFIER = 4,
	AT_SEQUENCE = 6,
};

/* RFC 1071. For a datagram socket the kernel does it again, with its own identifier. */
static uint16_t checksum(const uint8_t *bytes, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Each request has other data, so that a reply with an old request's data shows. */
static uint8_t data_byte(uint16_t sequence, size_t position)
{
	return (uint8_t)(position + sequence);
}

size_t echo_emit(struct echo_log *log, uint64_t now,
		 uint8_t packet[ECHO_HEADER_LENGTH + ECHO_DATA_MAX])
{
	uint16_t sequence = (uint16_t)++log->sent;
	size_t length = ECHO_HEADER_LENGTH + log->size;
	unsigned slot = sequence % ECHO_WINDOW;

	memset(packet, 0, ECHO_HEADER_LENGTH);
	packet[0] = TYPE_REQUEST;
	put_be16(packet + AT_IDENTIFIER, log->identifier);
	put_be16(packet + AT_SEQUENCE, sequence);
	for (size_t i = 0; i < log->size; i++)
		packet[ECHO_HEADER_LENGTH + i] = data_byte(sequence, i);
	put_be16(packet + AT_CHECKSUM, checksum(packet, length));

	log->window[slot].sent_at = now;
	log->window[slot].sequence = sequence;
	log->window[slot].answered = false;
	return length;
}

static bool is_intact(const struct echo_log *log, const uint8_t *packet, size_t length,
		      uint16_t sequence)
{
	if (length != ECHO_HEADER_LENGTH + log->size)
		return false;
	for (size_t i = 0; i < log->size; i++)
		if (packet[ECHO_HEADER_LENGTH + i] != data_byte(sequence, i))
			return false;
	return true;
}

static void count_time(struct echo_log *log, uint64_t time)
{
	if (log->received == 0 || time < log->shortest)
		log->shortest = time;
	if (time > log->longest)
		log->longest = time;
	log->received++;
	log->sum += (double)time;
	log->sum_of_squares += (double)time * (double)time;
}

bool echo_take(struct echo_log *log, uint64_t now, const uint8_t *packet, size_t length,
	       struct echo_reply *reply)
{
	uint16_t sequence;
	unsigned slot;

	if (length < ECHO_HEADER_LENGTH || packet[0] != TYPE_REPLY)
		return false;
	if (!log->any_identifier && get_be16(packet + AT_IDENTIFIER) != log->identifier)
		return false;
	sequence = get_be16(packet + AT_SEQUENCE);
	slot = sequence % ECHO_WINDOW;
	if (log->window[slot].sent_at == 0 || log->window[slot].sequence != sequence)
		return false;

	reply->sequence = sequence;
	reply->time = now - log->window[slot].sent_at;
	reply->duplicate = log->window[slot].answered;
	reply->intact = is_intact(log, packet, length, sequence);
	log->window[slot].answered = true;
	if (reply->duplicate)
		log->duplicates++;
	else
		count_time(log, reply->time);
	return true;
}

uint16_t echo_sequence(const uint8_t *packet, size_t length)
{
	return length < ECHO_HEADER_LENGTH ? 0 : get_be16(packet + AT_SEQUENCE);
}

double echo_mean(const struct echo_log *log)
{
	return log->received ? log->sum / (double)log->received : 0;
}

double echo_variance(const struct echo_log *log)
{
	double mean = echo_mean(log);
	double variance = log->received ? log->sum_of_squares / (double)log->received - mean * mean
					: 0;

	/* Rounding may leave a little less than nothing. */
	return variance > 0 ? variance : 0;
}
