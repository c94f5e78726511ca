/* The bytes to be sent, in pieces of pages; see tcp_stream.h. */
#include "net/tcp/tcp_stream.h"

#include "kernel/errno.h"
#include "kernel/iov.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "net/core/skbuff.h"
#include "net/tcp/tcp_seq.h"

#define CHUNK_ORDER_MAX 3 /* 32 KiB */
#define CHUNK_MAX (PAGE_SIZE << CHUNK_ORDER_MAX)

void tcp_stream_init(struct tcp_stream *stream, uint32_t seq)
{
	list_init(&stream->chunks);
	stream->start = stream->end = seq;
	stream->charged = 0;
	stream->at = NULL;
}

void tcp_chunk_free(struct tcp_chunk *chunk)
{
	page_put(chunk->page);
	kfree(chunk);
}

void tcp_stream_free(struct tcp_stream *stream)
{
	struct tcp_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &stream->chunks, link) {
		list_remove(&chunk->link);
		tcp_chunk_free(chunk);
	}
	tcp_stream_init(stream, stream->end);
}

/* Bytes in the block of pages that `page` heads. */
static uint32_t block_size(const struct page *page)
{
	return (uint32_t)PAGE_SIZE << page->order;
}

/* A block for `want` bytes, smaller where memory is in pieces. */
static struct page *alloc_block(size_t want)
{
	uint32_t order = 0;

	while (order < CHUNK_ORDER_MAX && (PAGE_SIZE << order) < want)
		order++;
	for (;; order--) {
		struct page *page = page_alloc_order(order);

		if (page || order == 0)
			return page;
	}
}

struct tcp_chunk *tcp_chunk_from_iov(struct iov *iov, size_t want, struct tcp_open_page open,
				     int *error)
{
	struct page *page = open.page ? open.page : alloc_block(MIN(want, CHUNK_MAX));
	struct tcp_chunk *chunk = page ? kmalloc(sizeof(*chunk)) : NULL;

	if (!chunk) {
		if (page)
			page_put(page);
		*error = -ENOMEM;
		return NULL;
	}
	chunk->page = page;
	chunk->borrowed = false;
	chunk->offset = open.page ? open.offset : 0;
	chunk->length = (uint32_t)MIN(want, block_size(page) - chunk->offset);
	*error = iov_copy_from(iov, (char *)page_address(page) + chunk->offset, chunk->length);
	if (!*error)
		return chunk;
	tcp_chunk_free(chunk);
	return NULL;
}

struct tcp_chunk *tcp_chunk_of_page(struct page *page, uint32_t offset, uint32_t length)
{
	struct tcp_chunk *chunk = kmalloc(sizeof(*chunk));

	if (!chunk)
		return NULL;
	page_get(page);
	chunk->page = page;
	chunk->borrowed = true;
	chunk->offset = offset;
	chunk->length = length;
	return chunk;
}

void tcp_page_close(struct tcp_open_page *open)
{
	if (open->page)
		page_put(open->page);
	open->page = NULL;
}

void tcp_page_keep(struct tcp_open_page *open, const struct tcp_chunk *chunk)
{
	uint32_t end = chunk->offset + chunk->length;

	if (chunk->borrowed || end >= block_size(chunk->page))
		return;
	tcp_page_close(open);
	page_get(chunk->page);
	*open = (struct tcp_open_page){chunk->page, end};
}

/* Does `chunk` begin in memory where the last piece ends? Then it becomes part of that. */
static bool join_last(struct tcp_stream *stream, const struct tcp_chunk *chunk)
{
	if (list_empty(&stream->chunks))
		return false;

	struct tcp_chunk *last = list_entry(stream->chunks.prev, struct tcp_chunk, link);

	if (last->page != chunk->page || last->offset + last->length != chunk->offset)
		return false;
	last->length += chunk->length;
	stream->charged += chunk->length;
	return true;
}

void tcp_stream_append(struct tcp_stream *stream, struct tcp_chunk *chunk)
{
	uint32_t length = chunk->length;

	if (join_last(stream, chunk)) {
		tcp_chunk_free(chunk);
	} else {
		chunk->seq = stream->end;
		list_append(&stream->chunks, &chunk->link);
		stream->charged += length + TCP_CHUNK_OVERHEAD;
	}
	stream->end += length;
}

uint32_t tcp_stream_release(struct tcp_stream *stream, uint32_t seq)
{
	uint32_t before = stream->charged;
	struct tcp_chunk *chunk, *next;

	seq = seq_min(seq, stream->end);
	if (seq_upto(seq, stream->start))
		return 0;
	list_for_each_entry_safe(chunk, next, &stream->chunks, link) {
		uint32_t gone = seq - chunk->seq;

		if (seq_upto(seq, chunk->seq))
			break;
		if (gone < chunk->length) {
			chunk->seq = seq;
			chunk->offset += gone;
			chunk->length -= gone;
			stream->charged -= gone;
			break;
		}
		stream->charged -= chunk->length + TCP_CHUNK_OVERHEAD;
		if (stream->at == chunk)
			stream->at = NULL;
		list_remove(&chunk->link);
		tcp_chunk_free(chunk);
	}
	stream->start = seq;
	return before - stream->charged;
}

/* The piece that holds `seq`: where the last look-up ended, or near it. */
static struct tcp_chunk *find(struct tcp_stream *stream, uint32_t seq)
{
	struct tcp_chunk *chunk = stream->at;

	if (!chunk || seq_before(seq, chunk->seq))
		chunk = list_first_entry(&stream->chunks, struct tcp_chunk, link);
	while (seq_from(seq, chunk->seq + chunk->length))
		chunk = list_first_entry(&chunk->link, struct tcp_chunk, link);
	stream->at = chunk;
	return chunk;
}

int tcp_stream_attach(struct tcp_stream *stream, uint32_t seq, uint32_t *length,
		      struct sk_buff *skb)
{
	uint32_t done = 0;

	for (struct tcp_chunk *chunk = NULL; done < *length;) {
		chunk = chunk ? list_first_entry(&chunk->link, struct tcp_chunk, link)
			      : find(stream, seq);
		uint32_t skip = seq + done - chunk->seq;
		uint32_t part = MIN(chunk->length - skip, *length - done);

		page_get(chunk->page);
		if (skb_add_fragment(skb, chunk->page, chunk->offset + skip, part)) {
			page_put(chunk->page);
			*length = done;
			return -ENOSPC;
		}
		stream->at = chunk;
		done += part;
	}
	return 0;
}
