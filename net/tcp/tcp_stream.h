/*
 * The bytes a process has written and the peer has not acknowledged: one stream, addressed by
 * sequence number, made of pieces of reference-counted pages. A segment that is sent, or sent
 * again, takes references on the pages; nothing is copied after the process's own bytes came in,
 * and nothing at all when the pages are a file's.
 *
 * Needs the net lock, but for tcp_chunk_*, which prepare pieces without it.
 */
#ifndef NET_TCP_TCP_STREAM_H
#define NET_TCP_TCP_STREAM_H

#include "kernel/list.h"
#include "kernel/types.h"

struct iov;
struct page;
struct sk_buff;

/* What a piece is charged beyond its bytes. */
#define TCP_CHUNK_OVERHEAD 64

struct tcp_chunk {
	struct list_head link; /* stream->chunks */
	struct page *page;     /* the first page of its block; the chunk holds a reference */
	uint32_t offset;       /* from page_address(page) */
	uint32_t length;
	uint32_t seq;  /* of its first byte */
	bool borrowed; /* somebody else's page (a file's): nothing is written behind the bytes */
};

struct tcp_stream {
	struct list_head chunks; /* in order */
	uint32_t start, end;     /* sequence numbers: [start, end) is held */
	uint32_t charged;        /* bytes and overhead: what the send buffer is compared with */
	/* Where the last look-up ended: the next is mostly there or after it. */
	struct tcp_chunk *at;
};

/*
 * The page that the last small write filled in part: the next one goes on there. One for all
 * connections, so that an idle one holds none.
 */
struct tcp_open_page {
	struct page *page; /* NULL: none */
	uint32_t offset;   /* its first free byte */
};

void tcp_stream_init(struct tcp_stream *stream, uint32_t seq);
void tcp_stream_free(struct tcp_stream *stream);

/*
 * A piece of up to `want` bytes (and 32 KiB) copied from a process: into the open page, which the
 * caller took under the lock and whose reference it gives up, or into new pages when there is none.
 * Process context, without the net lock. NULL and *error (-ENOMEM, -EFAULT).
 */
struct tcp_chunk *tcp_chunk_from_iov(struct iov *iov, size_t want, struct tcp_open_page open,
				     int *error);
/* What is left behind a piece is open for the next one, in place of what was open before. */
void tcp_page_keep(struct tcp_open_page *open, const struct tcp_chunk *chunk);
void tcp_page_close(struct tcp_open_page *open);
/* A piece of a file's page (sendfile); takes a reference of its own. NULL: no memory. */
struct tcp_chunk *tcp_chunk_of_page(struct page *page, uint32_t offset, uint32_t length);
void tcp_chunk_free(struct tcp_chunk *chunk);

/* Puts a piece at the end; owns it. One that continues the last in memory is joined to it. */
void tcp_stream_append(struct tcp_stream *stream, struct tcp_chunk *chunk);

/* Everything before `seq` was acknowledged. Returns the charge that was released. */
uint32_t tcp_stream_release(struct tcp_stream *stream, uint32_t seq);

/*
 * Adds the bytes [seq, seq + length) to a packet as page fragments. 0, or -ENOSPC when they lie in
 * more pieces than a packet has fragments: *length then says how many went in.
 */
int tcp_stream_attach(struct tcp_stream *stream, uint32_t seq, uint32_t *length,
		      struct sk_buff *skb);

#endif
