#include "dedup/read/reader.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/json/json.h"
#include "dedup/read/stream.h"

#define NO_TEXT UINT32_MAX /* instead of a length */

struct dedup_reader {
	pthread_mutex_t lock;
	const struct dedup_inputs *inputs;
	size_t at, end; /* files */
	struct dedup_stream stream;
	bool is_open, skipping; /* skipping: the rest of a line that was too long */
	const char *fault;	/* to be handed out as the next block */
	int failed;
	uint32_t id;
	uint64_t line;
	uint64_t done; /* bytes of the files before this one */
	char *tail;    /* the start of a line whose end has not been read */
	size_t tail_len, tail_capacity;
};

void dedup_block_release(struct dedup_block *block)
{
	free(block->data);
	*block = (struct dedup_block){0};
}

int dedup_block_room(struct dedup_block *block, size_t capacity)
{
	char *grown;

	if (block->capacity >= capacity)
		return 0;
	grown = realloc(block->data, capacity + DEDUP_JSON_PADDING);
	if (!grown)
		return -ENOMEM;
	memset(grown + capacity, 0, DEDUP_JSON_PADDING);
	block->data = grown;
	block->capacity = capacity;
	return 0;
}

int dedup_block_add(struct dedup_block *block, const char *text, size_t len)
{
	uint32_t frame = text ? (uint32_t)len : NO_TEXT;
	size_t need = block->len + sizeof frame + len;
	int rc = need <= block->capacity ? 0 : dedup_block_room(block, need + need / 2);

	if (rc)
		return rc;
	memcpy(block->data + block->len, &frame, sizeof frame);
	if (text)
		memcpy(block->data + block->len + sizeof frame, text, len);
	block->len += sizeof frame + (text ? len : 0);
	block->lines++;
	return 0;
}

int dedup_reader_new(const struct dedup_inputs *inputs, size_t first, size_t end, uint32_t id,
	struct dedup_reader **reader)
{
	struct dedup_reader *r = calloc(1, sizeof *r);

	*reader = r;
	if (!r)
		return -ENOMEM;
	pthread_mutex_init(&r->lock, NULL);
	r->inputs = inputs;
	r->at = first;
	r->end = end;
	r->id = id;
	return 0;
}

void dedup_reader_free(struct dedup_reader *reader)
{
	if (!reader)
		return;
	if (reader->is_open)
		dedup_stream_close(&reader->stream);
	pthread_mutex_destroy(&reader->lock);
	free(reader->tail);
	free(reader);
}

static int open_next(struct dedup_reader *r)
{
	const struct dedup_input *input = &r->inputs->v[r->at];
	int fd = dedup_input_open(input), rc;

	if (fd < 0)
		return fd;
	rc = dedup_stream_open(&r->stream, fd, input->codec);
	r->is_open = !rc;
	r->line = 0;
	r->tail_len = 0;
	r->skipping = false;
	return rc;
}

static void close_current(struct dedup_reader *r)
{
	r->done += r->stream.off;
	dedup_stream_close(&r->stream);
	r->is_open = false;
	r->at++;
}

static int keep_tail(struct dedup_reader *r, const char *from, size_t len)
{
	if (len > r->tail_capacity) {
		char *grown = realloc(r->tail, len);

		if (!grown)
			return -ENOMEM;
		r->tail = grown;
		r->tail_capacity = len;
	}
	if (len)
		memcpy(r->tail, from, len);
	r->tail_len = len;
	return 0;
}

static uint32_t count_lines(const char *data, size_t len)
{
	const char *end = data + len, *next;
	uint32_t lines = 0;

	for (; data < end && (next = memchr(data, '\n', (size_t)(end - data))); data = next + 1)
		lines++;
	return lines + (data < end);
}

/* Sets what the block's place is, and moves on by its lines. */
static int give(struct dedup_reader *r, struct dedup_block *block, uint32_t lines)
{
	if (lines > DEDUP_LINES_MAX - r->id)
		return -EOVERFLOW;
	block->id = r->id;
	block->line = r->line;
	block->lines = lines;
	r->id += lines;
	r->line += lines;
	return 1;
}

static int give_fault(struct dedup_reader *r, struct dedup_block *block)
{
	block->len = 0;
	block->why = r->fault;
	block->input = r->at;
	r->fault = NULL;
	if (!r->skipping)
		close_current(r);
	return give(r, block, 1);
}

/* Drops bytes up to the end of a line that was too long. The block's memory is where they are read to. */
static int skip_line(struct dedup_reader *r, struct dedup_block *block)
{
	while (r->skipping) {
		ssize_t n = dedup_stream_read(&r->stream, block->data, DEDUP_BLOCK);
		const char *end = n > 0 ? memchr(block->data, '\n', (size_t)n) : NULL;

		if (n < 0 && n != -EBADMSG)
			return (int)n;
		if (n > 0 && !end)
			continue;
		r->skipping = false;
		if (n <= 0)
			return 0; /* the next read says again what there is to say */
		return keep_tail(r, end + 1, (size_t)(block->data + n - end - 1));
	}
	return 0;
}

/* Reads until a line ends in the block, or the file does. 1: the block has lines; 0: this file has no more.
 */
static int fill(struct dedup_reader *r, struct dedup_block *block)
{
	size_t want = r->tail_len + DEDUP_BLOCK;
	const char *end = NULL;
	ssize_t n = 0;
	int rc = dedup_block_room(block, want);

	if (rc)
		return rc;
	block->len = r->tail_len;
	if (r->tail_len)
		memcpy(block->data, r->tail, r->tail_len);
	while (!end) {
		rc = dedup_block_room(block, want);
		if (rc)
			return rc;
		n = dedup_stream_read(&r->stream, block->data + block->len, want - block->len);
		if (n < 0 && n != -EBADMSG)
			return (int)n;
		end = n > 0 ? memrchr(block->data + block->len, '\n', (size_t)n) : NULL;
		block->len += n > 0 ? (size_t)n : 0;
		if (n <= 0)
			break;
		if (!end && block->len > DEDUP_LINE_MAX) {
			r->fault = "the line is longer than 64 MiB";
			r->skipping = true;
			r->tail_len = 0;
			block->len = 0;
			return 0;
		}
		if (block->len == want)
			want = 2 * want > DEDUP_LINE_MAX ? DEDUP_LINE_MAX + 1 : 2 * want;
	}
	r->tail_len = 0;
	if (end) {
		size_t len = (size_t)(end + 1 - block->data);

		rc = keep_tail(r, end + 1, block->len - len);
		block->len = len;
		return rc ? rc : 1;
	}
	if (n == -EBADMSG) {
		/* The start of a line without its end is no record. */
		r->fault = r->stream.why;
		block->len = 0;
		return 0;
	}
	if (block->len)
		return 1;
	return 0;
}

static int next_texts(struct dedup_reader *r, struct dedup_block *block)
{
	const struct dedup_source *source = r->inputs->v[r->at].source;
	int rc;

	block->framed = true;
	block->lines = 0;
	rc = source->next(source->ctx, block);
	if (rc <= 0)
		r->line = 0;
	return rc > 0 ? give(r, block, block->why ? 1 : block->lines) : rc;
}

static int next(struct dedup_reader *r, struct dedup_block *block)
{
	int rc;

	block->why = NULL;
	block->len = 0;
	for (;;) {
		block->input = r->at;
		if (r->fault)
			return give_fault(r, block);
		if (!r->is_open && r->at == r->end)
			return 0;
		if (r->inputs->v[r->at].source) {
			rc = next_texts(r, block);
			if (rc)
				return rc;
			r->at++;
			continue;
		}
		block->framed = false;
		rc = r->is_open ? 0 : open_next(r);
		rc = rc ? rc : dedup_block_room(block, DEDUP_BLOCK);
		rc = rc ? rc : skip_line(r, block);
		rc = rc ? rc : fill(r, block);
		if (rc < 0)
			return rc;
		if (rc)
			return give(r, block, count_lines(block->data, block->len));
		if (!r->fault)
			close_current(r);
	}
}

int dedup_reader_next(struct dedup_reader *reader, struct dedup_block *block)
{
	int rc;

	pthread_mutex_lock(&reader->lock);
	rc = reader->failed ? 0 : next(reader, block);
	if (rc < 0)
		reader->failed = rc;
	pthread_mutex_unlock(&reader->lock);
	return rc;
}

uint64_t dedup_reader_done(struct dedup_reader *reader)
{
	uint64_t done;

	pthread_mutex_lock(&reader->lock);
	done = reader->done + (reader->is_open ? reader->stream.off : 0);
	pthread_mutex_unlock(&reader->lock);
	return done;
}

static void framed_line(const char *start, struct dedup_line *line)
{
	uint32_t frame;

	memcpy(&frame, start, sizeof frame);
	line->text = frame == NO_TEXT ? NULL : start + sizeof frame;
	line->len = frame == NO_TEXT ? 0 : frame;
	line->whole = sizeof frame + line->len;
}

bool dedup_block_line(const struct dedup_block *block, size_t *at, struct dedup_line *line)
{
	const char *start = block->data + *at, *end;
	size_t left = block->len - *at;

	if (!left)
		return false;
	line->framed = block->framed;
	if (block->framed) {
		framed_line(start, line);
		*at += line->whole;
		return true;
	}
	end = memchr(start, '\n', left);
	line->text = start;
	line->len = end ? (size_t)(end - start) : left;
	line->whole = line->len + (end != NULL);
	if (end && line->len && end[-1] == '\r')
		line->len--;
	*at += line->whole;
	return true;
}

size_t dedup_line_mark(const struct dedup_line *line)
{
	return line->len >= 3 && !memcmp(line->text, "\xef\xbb\xbf", 3) ? 3 : 0;
}

bool dedup_line_is_blank(const struct dedup_line *line)
{
	if (line->framed)
		return !line->text;
	for (size_t i = 0; i < line->len; i++)
		if (line->text[i] != ' ' && line->text[i] != '\t' && line->text[i] != '\r')
			return false;
	return true;
}
