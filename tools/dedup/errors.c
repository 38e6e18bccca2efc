#include "tools/dedup/errors.h"

#include <errno.h>
#include <string.h>

#include "dedup/json/json.h"
#include "dedup/write/outfile.h"
#include "tools/dedup/complain.h"
#include "tools/tool.h"

static enum tool_exit exit_of(int error)
{
	switch (-error) {
	case EBADMSG:
	case EIO:
		return TOOL_DATA;
	case EINVAL:
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case EEXIST:
	case ENAMETOOLONG:
	case E2BIG:
	case ERANGE:
		return TOOL_USAGE;
	default:
		return TOOL_SYSTEM;
	}
}

static const char *next_step(int error)
{
	switch (-error) {
	case EBADMSG:
		return "--on-error skip leaves out what is bad";
	case ENOENT:
		return "check the path";
	case EEXIST:
		return "choose another name";
	case EISDIR:
		return "name the files in it, as 'DIR/*.jsonl' does";
	case ENOSPC:
	case EDQUOT:
		return "free some space there and try again";
	case ESTALE:
		return "run it again when nobody writes to it";
	default:
		return NULL;
	}
}

static const char *reason(int error)
{
	switch (-error) {
	case ESTALE:
		return "it was changed while it was read";
	case ERANGE:
		return "there are more texts than --expect says";
	case E2BIG:
		return "it is too little for so many lines: 9 bytes a line, 17 where --keep goes by "
		       "records or something is cut out";
	case EBUSY:
		return "another process is working on this there";
	case EOVERFLOW:
		return "there are more than 4,294,967,280 lines";
	default:
		return strerror(-error);
	}
}

static const char *next_step_at_line(int error, const char *why)
{
	if (!strcmp(why, DEDUP_JSON_NO_FIELD))
		return "-f names the one to compare, and --on-error skip leaves out records without";
	if (!strcmp(why, DEDUP_JSON_NO_STRING))
		return "-f names the one to compare, and --on-error skip leaves out records whose is none";
	return error == -ENOENT ? NULL : next_step(error);
}

int dedup_error_report(const char *what, int error)
{
	return dedup_complain(exit_of(error), what, next_step(error), "%s", reason(error));
}

int dedup_error_report_fault(const struct dedup_fault *fault, const char *path, int error)
{
	const char *why = fault->why ? fault->why : reason(error);
	const char *what = *path ? path : fault->input ? fault->input->path : "mithril-dedup";

	if (error == -ESTALE && *path)
		return dedup_complain(
			exit_of(error), what, "name another directory, or remove this one", "%s", why);
	if (error == -EBADMSG && *path)
		return dedup_complain(
			exit_of(error), what, "remove the directory and begin again", "%s", why);
	if (error == -EEXIST && !strcmp(why, DEDUP_FILE_IS_THERE))
		return dedup_complain(
			exit_of(error), what, "choose another name, or let --force replace it", "%s", why);
	if (fault->line)
		return dedup_complain(exit_of(error), what, next_step_at_line(error, why), "line %llu: %s",
			(unsigned long long)fault->line, why);
	return dedup_complain(exit_of(error), what, next_step(error), "%s", why);
}

int dedup_error_report_job(const struct dedup_job *job, int error)
{
	const char *why = job->why ? job->why : reason(error);

	if (job->line)
		return dedup_complain(
			exit_of(error), job->what, NULL, "line %llu: %s", (unsigned long long)job->line, why);
	return dedup_complain(exit_of(error), job->what, job->why ? NULL : next_step(error), "%s", why);
}
