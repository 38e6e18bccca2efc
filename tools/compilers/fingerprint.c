#include "tools/compilers/fingerprint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static struct fingerprint_component *find(struct fingerprint *fingerprint, const char *name)
{
	for (size_t i = 0; i < fingerprint->count; i++)
		if (!strcmp(fingerprint->components[i].name, name))
			return &fingerprint->components[i];
	return NULL;
}

static void store(char value[FINGERPRINT_VALUE], const char *first, const char *second)
{
	char whole[8192];
	size_t len = (size_t)snprintf(whole, sizeof whole, "%s%s%s", first, *first ? ", " : "", second);

	if (len >= sizeof whole)
		len = sizeof whole - 1;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)whole[i] < ' ' || whole[i] == 0x7f)
			whole[i] = ' ';
	if (len >= FINGERPRINT_VALUE)
		snprintf(whole + FINGERPRINT_VALUE - 1 - 20, 21, "... %016llx",
			(unsigned long long)XXH3_64bits(whole, len));
	memcpy(value, whole, FINGERPRINT_VALUE);
	value[FINGERPRINT_VALUE - 1] = '\0';
}

void fingerprint_add(struct fingerprint *fingerprint, const char *name, const char *value)
{
	struct fingerprint_component *component = find(fingerprint, name);

	if (!*value || strlen(name) >= FINGERPRINT_NAME)
		return;
	if (!component) {
		if (fingerprint->count == FINGERPRINT_MAX)
			return;
		component = &fingerprint->components[fingerprint->count++];
		snprintf(component->name, sizeof component->name, "%s", name);
		component->value[0] = '\0';
	}
	store(component->value, component->value, value);
}

const char *fingerprint_get(const struct fingerprint *fingerprint, const char *name)
{
	for (size_t i = 0; i < fingerprint->count; i++)
		if (!strcmp(fingerprint->components[i].name, name))
			return fingerprint->components[i].value;
	return NULL;
}

void fingerprint_select(const struct fingerprint *from, const char *names, struct fingerprint *out)
{
	out->count = 0;
	while (*names) {
		char name[FINGERPRINT_NAME];
		size_t len = strcspn(names, " ");
		const char *value;

		snprintf(name, sizeof name, "%.*s", (int)len, names);
		value = fingerprint_get(from, name);
		if (value)
			fingerprint_add(out, name, value);
		names += len;
		names += strspn(names, " ");
	}
}

void fingerprint_id(const struct fingerprint *fingerprint, char id[FINGERPRINT_ID])
{
	char text[FINGERPRINT_TEXT];
	size_t len = fingerprint_format(fingerprint, text);

	if (!len)
		snprintf(id, FINGERPRINT_ID, "any");
	else
		snprintf(id, FINGERPRINT_ID, "%016llx", (unsigned long long)XXH3_64bits(text, len));
}

size_t fingerprint_format(const struct fingerprint *fingerprint, char text[FINGERPRINT_TEXT])
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < fingerprint->count; i++)
		len += (size_t)snprintf(text + len, FINGERPRINT_TEXT - len, "%s %s\n",
			fingerprint->components[i].name, fingerprint->components[i].value);
	return len;
}

static int parse_line(const char *line, size_t len, struct fingerprint *out)
{
	const char *space = memchr(line, ' ', len);
	struct fingerprint_component *component;
	size_t name_len, value_len;

	if (!space || space == line || out->count == FINGERPRINT_MAX)
		return -EBADMSG;
	name_len = (size_t)(space - line);
	value_len = len - name_len - 1;
	if (name_len >= FINGERPRINT_NAME || !value_len || value_len >= FINGERPRINT_VALUE)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			return -EBADMSG;
	component = &out->components[out->count];
	memcpy(component->name, line, name_len);
	component->name[name_len] = '\0';
	memcpy(component->value, space + 1, value_len);
	component->value[value_len] = '\0';
	if (find(out, component->name))
		return -EBADMSG;
	out->count++;
	return 0;
}

int fingerprint_parse(const char *text, size_t len, struct fingerprint *out)
{
	out->count = 0;
	while (len) {
		const char *end = memchr(text, '\n', len);
		int ret = end ? parse_line(text, (size_t)(end - text), out) : -EBADMSG;

		if (ret)
			return ret;
		len -= (size_t)(end - text) + 1;
		text = end + 1;
	}
	return 0;
}

size_t fingerprint_diff(const struct fingerprint *a, const struct fingerprint *b,
	void (*each)(void *ctx, const char *name, const char *value_a, const char *value_b), void *ctx)
{
	size_t differ = 0;

	for (size_t i = 0; i < b->count; i++) {
		const char *before = fingerprint_get(a, b->components[i].name);

		if (before && !strcmp(before, b->components[i].value))
			continue;
		differ++;
		if (each)
			each(ctx, b->components[i].name, before, b->components[i].value);
	}
	for (size_t i = 0; i < a->count; i++) {
		if (fingerprint_get(b, a->components[i].name))
			continue;
		differ++;
		if (each)
			each(ctx, a->components[i].name, a->components[i].value, NULL);
	}
	return differ;
}
