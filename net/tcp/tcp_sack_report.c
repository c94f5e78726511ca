/*
 * What our acknowledgements tell of data that is not in order, or came twice: SACK (RFC 2018) and
 * D-SACK (RFC 2883).
 */
#include "kernel/string.h"
#include "net/tcp/tcp_reassembly.h"
#include "net/tcp/tcp_state.h"

/* RFC 2018 4: the newest block first, each once. */
void tcp_sack_remember(struct tcp_socket *tcp, uint32_t seq)
{
	struct tcp_sack_block block = {seq, seq + 1};
	uint32_t kept = 1;
	struct tcp_sack_block all[TCP_SACK_BLOCKS_MAX] = {block};

	for (uint32_t i = 0; i < tcp->sack_recent_count && kept < TCP_SACK_BLOCKS_MAX; i++) {
		if (tcp->sack_recent[i].start != seq)
			all[kept++] = tcp->sack_recent[i];
	}
	memcpy(tcp->sack_recent, all, sizeof(all));
	tcp->sack_recent_count = (uint8_t)kept;
}

/* RFC 2883 4: the first block of the next acknowledgement tells of bytes that came twice. */
void tcp_note_duplicate(struct tcp_socket *tcp, uint32_t start, uint32_t end)
{
	if (!tcp->has_sack || !tcp_of(tcp_net(tcp))->settings.tcp_dsack || !seq_before(start, end))
		return;
	tcp->dsack_due = true;
	tcp->dsack = (struct tcp_sack_block){start, end};
}

void tcp_sack_options(struct tcp_socket *tcp, struct tcp_options *options)
{
	uint32_t kept = 0;

	options->sack_count = 0;
	if (!tcp->has_sack)
		return;
	if (tcp->dsack_due)
		options->sack[options->sack_count++] = tcp->dsack;
	tcp->dsack_due = false;
	for (uint32_t i = 0; i < tcp->sack_recent_count; i++) {
		struct tcp_sack_block run;
		bool told = false;

		/* Runs that were joined, or became due, are no blocks of their own any more. */
		if (!tcp_reassembly_run(tcp, tcp->sack_recent[i].start, &run))
			continue;
		for (uint32_t j = 0; j < kept; j++)
			told |= tcp->sack_recent[j].start == run.start;
		if (told)
			continue;
		tcp->sack_recent[kept++] = run;
		if (options->sack_count < TCP_SACK_BLOCKS_MAX)
			options->sack[options->sack_count++] = run;
	}
	tcp->sack_recent_count = (uint8_t)kept;
}
