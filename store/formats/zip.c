#include <stdlib.h>
#include <string.h>

#include "store/formats/private.h"
#include "store/util/bytes.h"

#define END_LEN 22
#define LOCATOR_LEN 20
#define END64_LEN 56
#define TAIL_LEN (END_LEN + LOCATOR_LEN + END64_LEN)
#define MEMBER_LEN 46
#define LOCAL_LEN 30
#define UNKNOWN32 UINT32_MAX

#define SIGNATURE_END 0x06054b50
#define SIGNATURE_LOCATOR 0x07064b50
#define SIGNATURE_END64 0x06064b50
#define SIGNATURE_MEMBER 0x02014b50
#define SIGNATURE_LOCAL 0x04034b50

#define FLAG_ENCRYPTED 1u

/* Offset and length of the directory as the zip64 record gives them; false if there is no sound one. */
static bool read_end64(const uint8_t *tail, uint64_t *off, uint64_t *len)
{
	if (get_le32(tail) != SIGNATURE_END64 || get_le64(tail + 4) != END64_LEN - 12)
		return false;
	*len = get_le64(tail + 40);
	*off = get_le64(tail + 48);
	return true;
}

int zip_find(const struct view *view, uint64_t end, struct zip *zip)
{
	uint8_t tail[TAIL_LEN] = {0};
	uint64_t got = end < TAIL_LEN ? end : TAIL_LEN, off, len, directory_end;
	const uint8_t *record = tail + TAIL_LEN - END_LEN, *locator = record - LOCATOR_LEN;
	int rc;

	*zip = (struct zip){.view = view};
	if (end < END_LEN)
		return ODD;
	rc = view_read(view, end - got, tail + TAIL_LEN - got, got);
	if (rc)
		return rc;
	if (get_le32(record) != SIGNATURE_END || get_le16(record + 20))
		return ODD;
	len = get_le32(record + 12);
	off = get_le32(record + 16);
	directory_end = end - END_LEN;
	if (got == TAIL_LEN && get_le32(locator) == SIGNATURE_LOCATOR) {
		if (!read_end64(tail, &off, &len))
			return ODD;
		directory_end = end - TAIL_LEN;
		if (get_le64(locator + 8) != off + len)
			return ODD;
	}
	if (len > directory_end || off > directory_end - len)
		return ODD;
	zip->end = end;
	zip->directory = directory_end - len;
	zip->directory_len = len;
	zip->start = zip->directory - off;
	return 0;
}

/* Values of 32 set bits are in the zip64 extra field, in this order. */
static bool read_extra64(const uint8_t *extra, size_t len, uint64_t *values[3])
{
	while (len >= 4) {
		size_t n = get_le16(extra + 2);
		const uint8_t *p = extra + 4;
		if (n > len - 4)
			return false;
		if (get_le16(extra) == 1) {
			for (int i = 0; i < 3; i++) {
				if (*values[i] != UNKNOWN32)
					continue;
				if (n < 8)
					return false;
				*values[i] = get_le64(p);
				p += 8;
				n -= 8;
			}
			return true;
		}
		extra += 4 + n;
		len -= 4 + n;
	}
	return *values[0] != UNKNOWN32 && *values[1] != UNKNOWN32 && *values[2] != UNKNOWN32;
}

int zip_next(struct zip *zip, struct zip_member *m)
{
	const uint8_t *p = zip->bytes + zip->at;
	uint64_t left = zip->directory_len - zip->at, len, offset;
	uint64_t *values[3] = {&m->size, &m->packed, &offset};

	if (left < MEMBER_LEN || get_le32(p) != SIGNATURE_MEMBER)
		return 0;
	m->name_len = get_le16(p + 28);
	len = MEMBER_LEN + m->name_len + get_le16(p + 30) + get_le16(p + 32);
	if (len > left)
		return 0;
	m->name = (const char *)p + MEMBER_LEN;
	m->packed = get_le32(p + 20);
	m->size = get_le32(p + 24);
	offset = get_le32(p + 42);
	if (!read_extra64(p + MEMBER_LEN + m->name_len, get_le16(p + 30), values))
		return 0;
	m->stored = !get_le16(p + 10) && !(get_le16(p + 8) & FLAG_ENCRYPTED) && m->size == m->packed;
	if (offset < (zip->at ? zip->floor : 0) || offset > zip->directory - zip->start ||
		m->packed > zip->directory - zip->start - offset)
		return 0;
	zip->floor = offset + m->packed;
	m->header = zip->start + offset;
	zip->at += len;
	return 1;
}

int zip_load(struct zip *zip)
{
	struct zip_member m;
	int rc = view_load(zip->view, zip->directory, zip->directory_len, &zip->bytes);

	if (rc)
		return rc;
	while (zip_next(zip, &m))
		;
	rc = zip->at == zip->directory_len ? 0 : ODD;
	zip->at = 0;
	return rc;
}

int zip_data(const struct zip *zip, const struct zip_member *m, uint64_t *off)
{
	uint8_t local[LOCAL_LEN];
	uint64_t at;
	int rc;

	if (zip->directory - m->header < LOCAL_LEN)
		return ODD;
	rc = view_read(zip->view, m->header, local, sizeof local);
	if (rc)
		return rc;
	at = m->header + LOCAL_LEN + get_le16(local + 26) + get_le16(local + 28);
	if (get_le32(local) != SIGNATURE_LOCAL || at > zip->directory || m->size > zip->directory - at)
		return ODD;
	*off = at;
	return 0;
}

void zip_release(struct zip *zip)
{
	free(zip->bytes);
	zip->bytes = NULL;
}

static bool has_suffix(const struct zip_member *m, const char *suffix)
{
	size_t len = strlen(suffix);
	return m->name_len > len && !memcmp(m->name + m->name_len - len, suffix, len);
}

int zip_label(const struct view *view, struct layout *layout)
{
	struct zip_member member;
	struct zip zip;
	int rc = zip_find(view, view->size, &zip);

	if (rc)
		return rc;
	if (zip.start) {
		layout->format = FORMAT_DCP;
		return dcp_label(view, layout);
	}
	rc = zip_load(&zip);
	if (!rc && !zip_next(&zip, &member))
		rc = ODD;
	zip.at = 0;
	if (!rc && has_suffix(&member, ".npy")) {
		layout->format = FORMAT_NPZ;
		rc = npz_label(&zip, layout);
	} else if (!rc) {
		layout->format = FORMAT_TORCH_ZIP;
		rc = torch_zip_label(&zip, "", layout);
	}
	zip_release(&zip);
	return rc;
}
