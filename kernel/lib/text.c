/*
 * A growing text. The buffer doubles; once an allocation has failed, everything further is ignored.
 */
#include "kernel/lib/text.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"

#define TEXT_FIRST_CAPACITY 512

void text_init(struct text *text)
{
	*text = (struct text){0};
}

void text_free(struct text *text)
{
	kfree(text->bytes);
	text_init(text);
}

/* Makes room for n more bytes. */
static bool text_reserve(struct text *text, size_t n)
{
	size_t capacity = MAX(text->capacity, TEXT_FIRST_CAPACITY);

	if (text->failed)
		return false;
	if (n <= text->capacity - text->length)
		return true;
	while (capacity - text->length < n)
		capacity *= 2;
	char *bytes = kmalloc(capacity);
	if (!bytes) {
		text->failed = true;
		return false;
	}
	if (text->length > 0)
		memcpy(bytes, text->bytes, text->length);
	kfree(text->bytes);
	text->bytes = bytes;
	text->capacity = capacity;
	return true;
}

void text_append(struct text *text, const void *bytes, size_t n)
{
	if (n == 0 || !text_reserve(text, n))
		return;
	memcpy(text->bytes + text->length, bytes, n);
	text->length += n;
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length <= 0 || !text_reserve(text, (size_t)length + 1))
		return;
	va_start(args, format);
	vsnprintf(text->bytes + text->length, (size_t)length + 1, format, args);
	va_end(args);
	text->length += (size_t)length;
}
