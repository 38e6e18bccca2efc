#include "store/decode/streams.h"

#define SLACK_MIN (64u << 10)
#define PART_MIN (4u << 20)

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a < b ? b - a : a - b;
}

static struct stream *find(struct streams *streams, uint64_t off, uint64_t slack)
{
	struct stream *best = NULL;

	for (unsigned i = 0; i < STREAMS; i++) {
		struct stream *stream = streams->stream + i;
		if (!stream->used || distance(off, stream->next) > slack)
			continue;
		if (!best || distance(off, stream->next) < distance(off, best->next))
			best = stream;
	}
	return best;
}

static struct stream *oldest(struct streams *streams)
{
	struct stream *old = streams->stream;

	for (unsigned i = 1; i < STREAMS; i++) {
		if (streams->stream[i].used < old->used)
			old = streams->stream + i;
	}
	return old;
}

struct stream *streams_touch(struct streams *streams, uint64_t off, size_t len)
{
	uint64_t end = off + len, slack = 4 * (uint64_t)len < SLACK_MIN ? SLACK_MIN : 4 * (uint64_t)len;
	struct stream *stream = find(streams, off, slack);

	if (stream) {
		stream->run += len;
		if (end > stream->next)
			stream->next = end;
	} else {
		/* a first read counts only at the start of the file: elsewhere it may be a random one */
		stream = oldest(streams);
		*stream = (struct stream){.next = end, .ahead = end, .run = off ? 0 : len};
	}
	stream->used = ++streams->clock;
	return stream;
}

/* Whether it began with the file and left nothing out. */
static bool is_whole(const struct stream *stream)
{
	return stream->run >= stream->next - stream->next / 8;
}

bool stream_window(const struct stream *stream, uint64_t max, uint64_t size, uint64_t *from, uint64_t *to)
{
	bool whole = is_whole(stream);
	uint64_t window = stream->run / (whole ? 2 : 8);

	if (stream->run < (whole ? STREAM_MIN : PART_MIN))
		return false;
	window = window < max ? window : max;
	*from = stream->ahead > stream->next ? stream->ahead : stream->next;
	*to = window < size - stream->next ? stream->next + window : size;
	return *from < *to;
}
