#include "userland/lib/command_line.h"

#include <ctype.h>
#include <string.h>

bool command_line_next(const char **cursor, char *word, size_t size)
{
	const char *at = *cursor;
	size_t length = 0;
	bool quoted = false;

	while (isspace((unsigned char)*at))
		at++;
	if (*at == '\0')
		return false;
	for (; *at && (quoted || !isspace((unsigned char)*at)); at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (length + 1 < size)
			word[length++] = *at;
	}
	word[length] = '\0';
	*cursor = at;
	return true;
}

const char *command_line_value(const char *word, const char *key)
{
	size_t length = strlen(key);

	if (strncmp(word, key, length) != 0 || word[length] != '=')
		return NULL;
	return word + length + 1;
}

static int hex_digit(char digit)
{
	if (isdigit((unsigned char)digit))
		return digit - '0';
	if (isxdigit((unsigned char)digit))
		return tolower((unsigned char)digit) - 'a' + 10;
	return -1;
}

bool percent_decode(char *text)
{
	char *out = text;

	for (; *text; text++) {
		int high, low;

		if (*text != '%') {
			*out++ = *text;
			continue;
		}
		high = hex_digit(text[1]);
		low = high < 0 ? -1 : hex_digit(text[2]);
		if (low < 0 || (high == 0 && low == 0))
			return false;
		*out++ = (char)(high << 4 | low);
		text += 2;
	}
	*out = '\0';
	return true;
}
