/*
 * printf's formatting: one conversion is parsed into a `struct conversion`, then written.
 */
#include "kernel/lib/format.h"

struct output {
	char *to;
	size_t size;   /* of the buffer, with the NUL */
	size_t length; /* of the whole text so far, written or not */
};

struct conversion {
	bool left, zero, plus, space, alternate;
	int width;
	int precision; /* -1: none given */
	int size;      /* of the argument: 1, 2, 4 or 8 bytes */
	char letter;
};

static void put(struct output *out, char c)
{
	if (out->length + 1 < out->size)
		out->to[out->length] = c;
	out->length++;
}

static void put_many(struct output *out, char c, int count)
{
	for (; count > 0; count--)
		put(out, c);
}

static void put_bytes(struct output *out, const char *bytes, int n)
{
	for (int i = 0; i < n; i++)
		put(out, bytes[i]);
}

static void write_string(struct output *out, const struct conversion *c, const char *s)
{
	int length = 0;

	if (!s)
		s = "(null)";
	while ((c->precision < 0 || length < c->precision) && s[length])
		length++;
	if (!c->left)
		put_many(out, ' ', c->width - length);
	put_bytes(out, s, length);
	if (c->left)
		put_many(out, ' ', c->width - length);
}

/* The digits of `value`, without leading zeros, at the end of `buffer`. Returns how many. */
static int make_digits(char *buffer, int size, uint64_t value, uint32_t base, bool capitals)
{
	const char *digits = capitals ? "0123456789ABCDEF" : "0123456789abcdef";
	int n = 0;

	for (; value; value /= base)
		buffer[size - ++n] = digits[value % base];
	return n;
}

static void write_number(struct output *out, const struct conversion *c, uint64_t value,
			 bool negative)
{
	char digits[24];
	char prefix[3];
	int prefix_length = 0;
	uint32_t base = 10;

	if (c->letter == 'x' || c->letter == 'X' || c->letter == 'p')
		base = 16;
	if (c->letter == 'o')
		base = 8;

	if (negative)
		prefix[prefix_length++] = '-';
	else if (c->plus)
		prefix[prefix_length++] = '+';
	else if (c->space)
		prefix[prefix_length++] = ' ';
	if (c->alternate && base == 16 && value) {
		prefix[prefix_length++] = '0';
		prefix[prefix_length++] = c->letter == 'X' ? 'X' : 'x';
	}

	int count = make_digits(digits, sizeof(digits), value, base, c->letter == 'X');
	int zeros = (c->precision < 0 ? 1 : c->precision) - count;
	if (c->alternate && base == 8 && zeros <= 0 && value)
		zeros = 1;
	if (zeros < 0)
		zeros = 0;
	int padding = c->width - prefix_length - zeros - count;
	if (c->zero && !c->left && c->precision < 0 && padding > 0) {
		zeros += padding;
		padding = 0;
	}

	if (!c->left)
		put_many(out, ' ', padding);
	put_bytes(out, prefix, prefix_length);
	put_many(out, '0', zeros);
	put_bytes(out, digits + sizeof(digits) - count, count);
	if (c->left)
		put_many(out, ' ', padding);
}

static int parse_number(const char **at)
{
	int n = 0;

	for (; **at >= '0' && **at <= '9'; ++*at)
		if (n < 100000)
			n = n * 10 + (**at - '0');
	return n;
}

static const char *parse_flags(const char *at, struct conversion *c)
{
	for (;; at++) {
		switch (*at) {
		case '-':
			c->left = true;
			break;
		case '0':
			c->zero = true;
			break;
		case '+':
			c->plus = true;
			break;
		case ' ':
			c->space = true;
			break;
		case '#':
			c->alternate = true;
			break;
		default:
			return at;
		}
	}
}

static const char *parse_size(const char *at, struct conversion *c)
{
	if (at[0] == 'h') {
		c->size = at[1] == 'h' ? 1 : 2;
		return at + (at[1] == 'h' ? 2 : 1);
	}
	if (at[0] == 'l' && at[1] == 'l') {
		c->size = 8;
		return at + 2;
	}
	if (*at == 'l' || *at == 'z' || *at == 'j' || *at == 't') {
		c->size = 8;
		return at + 1;
	}
	return at;
}

static int64_t sign_extend(uint64_t value, int size)
{
	uint32_t shift = 64 - 8 * size;
	return (int64_t)(value << shift) >> shift;
}

static uint64_t zero_extend(uint64_t value, int size)
{
	uint32_t shift = 64 - 8 * size;
	return value << shift >> shift;
}

static uint64_t next_integer(va_list *args, int size)
{
	return size == 8 ? va_arg(*args, uint64_t) : va_arg(*args, uint32_t);
}

static void write_conversion(struct output *out, struct conversion *c, va_list *args)
{
	switch (c->letter) {
	case 'd':
	case 'i': {
		int64_t value = sign_extend(next_integer(args, c->size), c->size);
		write_number(out, c, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0);
		return;
	}
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		c->plus = c->space = false;
		write_number(out, c, zero_extend(next_integer(args, c->size), c->size), false);
		return;
	case 'p':
		c->alternate = true;
		write_number(out, c, (uintptr_t)va_arg(*args, void *), false);
		return;
	case 'c': {
		char byte = (char)va_arg(*args, int);
		put_many(out, ' ', c->left ? 0 : c->width - 1);
		put(out, byte);
		put_many(out, ' ', c->left ? c->width - 1 : 0);
		return;
	}
	case 's':
		write_string(out, c, va_arg(*args, const char *));
		return;
	default: /* %% and what nobody has heard of */
		put(out, c->letter);
	}
}

/* Parses what follows a '%'; returns where the text goes on. */
static const char *parse_conversion(const char *at, struct conversion *c, va_list *args)
{
	*c = (struct conversion){.precision = -1, .size = 4};
	at = parse_flags(at, c);
	if (*at == '*') {
		c->width = va_arg(*args, int);
		at++;
		if (c->width < 0) {
			c->left = true;
			c->width = -c->width;
		}
	} else {
		c->width = parse_number(&at);
	}
	if (*at == '.') {
		at++;
		if (*at == '*') {
			c->precision = va_arg(*args, int);
			at++;
		} else {
			c->precision = parse_number(&at);
		}
	}
	at = parse_size(at, c);
	c->letter = *at;
	return *at ? at + 1 : at;
}

int format_text(char *to, size_t size, const char *format, va_list list)
{
	struct output out = {.to = to, .size = size};
	struct conversion conversion;
	va_list args;

	va_copy(args, list);
	while (*format) {
		if (*format != '%') {
			put(&out, *format++);
			continue;
		}
		format = parse_conversion(format + 1, &conversion, &args);
		if (conversion.letter)
			write_conversion(&out, &conversion, &args);
	}
	va_end(args);
	if (size > 0)
		to[MIN(out.length, size - 1)] = '\0';
	return (int)out.length;
}
