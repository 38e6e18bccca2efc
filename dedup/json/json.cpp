#include "dedup/json/json.h"

#include <cerrno>
#include <cstring>
#include <new>
#include <string_view>

#include <simdjson.h>

static_assert(DEDUP_JSON_PADDING >= simdjson::SIMDJSON_PADDING, "simdjson reads that far");

struct dedup_json {
	simdjson::dom::parser parser;
	simdjson::dom::element root; /* of the record at hand */
	char scalar[24];
};

int dedup_json_new(struct dedup_json **json)
{
	*json = new (std::nothrow) dedup_json;
	return *json ? 0 : -ENOMEM;
}

void dedup_json_free(struct dedup_json *json)
{
	delete json;
}

/* Capacity doubles, so that records of growing length do not allocate each time. */
static bool has_room(simdjson::dom::parser &parser, size_t len)
{
	size_t capacity = parser.capacity() ? parser.capacity() : 1u << 16;

	while (capacity < len)
		capacity *= 2;
	return capacity == parser.capacity() || parser.allocate(capacity) == simdjson::SUCCESS;
}

static simdjson::error_code find(
	simdjson::dom::element at, std::string_view field, simdjson::dom::element &found)
{
	simdjson::error_code error = at.at_key(field).get(found);
	size_t dot;

	while (error == simdjson::NO_SUCH_FIELD && (dot = field.find('.')) != field.npos) {
		error = at.at_key(field.substr(0, dot)).get(at);
		if (error)
			return error;
		field.remove_prefix(dot + 1);
		error = at.at_key(field).get(found);
	}
	return error;
}

int dedup_json_string(struct dedup_json *json, const char *record, size_t len, const char *field,
	const char **text, size_t *text_len, const char **why)
{
	simdjson::dom::element found;
	std::string_view string;
	int rc = dedup_json_read(json, record, len, why);

	if (rc)
		return rc;
	if (find(json->root, field, found)) {
		*why = DEDUP_JSON_NO_FIELD;
		return -ENOENT;
	}
	if (found.get(string)) {
		*why = DEDUP_JSON_NO_STRING;
		return -EINVAL;
	}
	*text = string.data();
	*text_len = string.size();
	return 0;
}

int dedup_json_read(struct dedup_json *json, const char *record, size_t len, const char **why)
{
	simdjson::dom::element &root = json->root;
	simdjson::error_code error;

	if (!has_room(json->parser, len))
		return -ENOMEM;
	error = json->parser.parse(reinterpret_cast<const uint8_t *>(record), len, false).get(root);
	if (error == simdjson::MEMALLOC)
		return -ENOMEM;
	if (error) {
		*why = error == simdjson::UTF8_ERROR ? "invalid UTF-8" : simdjson::error_message(error);
		return -EBADMSG;
	}
	if (!root.is_object()) {
		*why = "the record is no JSON object";
		return -EBADMSG;
	}
	return 0;
}

int dedup_json_key(struct dedup_json *json, const char *field, enum dedup_json_kind *kind, const char **bytes,
	size_t *len, const char **why)
{
	simdjson::dom::element found;
	std::string_view string;
	struct {
		double real;
		int64_t whole;
		uint64_t large;
	} value = {0, 0, 0};
	bool truth;

	if (find(json->root, field, found)) {
		*why = DEDUP_JSON_NO_FIELD;
		return -ENOENT;
	}
	if (!found.get(string)) {
		*kind = DEDUP_JSON_STRING;
		*bytes = string.data();
		*len = string.size();
		return 0;
	}
	if (found.is_null())
		return 1;
	*kind = DEDUP_JSON_NUMBER;
	if (!found.get(truth)) {
		*kind = DEDUP_JSON_OTHER;
		value.whole = truth;
	} else if (found.is_int64()) {
		value.whole = found.get_int64().value_unsafe();
	} else if (found.is_uint64()) {
		value.large = found.get_uint64().value_unsafe();
	} else if (found.get(value.real)) {
		*why = "the field is an array or an object";
		return -EINVAL;
	} else if (value.real >= -0x1p63 && value.real < 0x1p63 &&
		   static_cast<double>(static_cast<int64_t>(value.real)) == value.real) {
		value.whole = static_cast<int64_t>(value.real);
		value.real = 0;
	}
	std::memcpy(json->scalar, &value, sizeof value);
	*bytes = json->scalar;
	*len = sizeof value;
	return 0;
}

enum dedup_json_kind dedup_json_value(
	struct dedup_json *json, const char *field, double *number, const char **text, size_t *len)
{
	simdjson::dom::element found;
	std::string_view string;

	if (find(json->root, field, found))
		return DEDUP_JSON_NONE;
	if (!found.get(*number))
		return DEDUP_JSON_NUMBER;
	if (found.get(string))
		return DEDUP_JSON_OTHER;
	*text = string.data();
	*len = string.size();
	return DEDUP_JSON_STRING;
}

bool dedup_json_is_utf8(const char *text, size_t len)
{
	return simdjson::validate_utf8(text, len);
}
