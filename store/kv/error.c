#include <errno.h>
#include <string.h>

#include "store/kv/internal.h"
#include "store/util/log.h"

static const struct {
	const char *text;
	int error;
} phrases[] = {
	/* the order matters: a message may hold several of them */
	{"No space left on device", -ENOSPC},
	{"NoSpace", -ENOSPC},
	{"Disk quota exceeded", -ENOSPC},
	{"Space limit reached", -ENOSPC},
	{"lock hold by current process", -EBUSY},
	{"While lock file", -EBUSY},
	{"Resource busy", -EBUSY},
	{"does not exist (create_if_missing is false)", -ENOENT},
	{"Permission denied", -EACCES},
	{"Operation not permitted", -EACCES},
	{"Read-only file system", -EACCES},
	{"Cannot allocate memory", -ENOMEM},
	{"Memory limit", -ENOMEM},
	{"Corruption", -EUCLEAN},
	{"Invalid argument", -EUCLEAN},
};

int kv_error_code(const char *error)
{
	if (!error)
		return 0;
	for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
		if (strstr(error, phrases[i].text))
			return phrases[i].error;
	}
	return -EIO;
}

int kv_error_take(char *error)
{
	int rc = kv_error_code(error);

	rocksdb_free(error);
	return rc;
}

int kv_error_log(char *error, const char *what)
{
	if (error)
		log_error("%s: %s", what, error);
	return kv_error_take(error);
}
