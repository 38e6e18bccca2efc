#include "store/formats/private.h"

#define SUFFIX_LEN 4 /* .npy */

/* A member that is no sound array, or is compressed, stays unlabelled. */
int npz_label(struct zip *zip, struct layout *layout)
{
	struct zip_member m;
	uint64_t off;
	int rc;

	while (zip_next(zip, &m)) {
		if (!m.stored || m.name_len <= SUFFIX_LEN)
			continue;
		rc = zip_data(zip, &m, &off);
		if (!rc)
			rc = npy_label_range(zip->view, off, m.size, layout, m.name, m.name_len - SUFFIX_LEN);
		if (rc && rc != ODD)
			return rc;
	}
	return 0;
}
