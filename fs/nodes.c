#include "fs/nodes.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "fs/wire.h"

#define STRIPES 64u
#define SLOTS_FIRST 16u

struct node {
	struct node *next;
	uint64_t ino, lookups;
	uint64_t version; /* of the pages that cached opens have left with the kernel */
	uint32_t cached, passed, pass_writers;
	uint32_t direct; /* of the cached ones: past the page cache */
	int32_t backing_id;
	bool has_pages, unlinked;
};

struct stripe {
	pthread_mutex_t lock;
	struct node **slots;
	uint32_t slot_count, node_count; /* slot_count: a power of two */
};

struct nodes {
	struct stripe stripes[STRIPES];
};

static uint64_t mix(uint64_t ino)
{
	return (ino * 0x9e3779b97f4a7c15ull) >> 20;
}

static struct stripe *stripe_of(struct nodes *nodes, uint64_t ino)
{
	return &nodes->stripes[ino % STRIPES];
}

static struct node **slot_of(struct stripe *stripe, uint64_t ino)
{
	struct node **at = &stripe->slots[mix(ino) & (stripe->slot_count - 1)];

	while (*at && (*at)->ino != ino)
		at = &(*at)->next;
	return at;
}

static void grow(struct stripe *stripe)
{
	uint32_t count = stripe->slot_count * 2;
	struct node **slots = calloc(count, sizeof *slots);

	if (!slots)
		return;
	for (uint32_t i = 0; i < stripe->slot_count; i++) {
		struct node *node = stripe->slots[i];

		while (node) {
			struct node *next = node->next;
			struct node **at = &slots[mix(node->ino) & (count - 1)];

			node->next = *at;
			*at = node;
			node = next;
		}
	}
	free(stripe->slots);
	stripe->slots = slots;
	stripe->slot_count = count;
}

static struct node *find(struct stripe *stripe, uint64_t ino)
{
	return *slot_of(stripe, ino);
}

static struct node *find_or_add(struct stripe *stripe, uint64_t ino)
{
	struct node **at = slot_of(stripe, ino);
	struct node *node = *at;

	if (node)
		return node;
	node = calloc(1, sizeof *node);
	if (!node)
		return NULL;
	node->ino = ino;
	*at = node;
	if (++stripe->node_count > stripe->slot_count)
		grow(stripe);
	return node;
}

static void remove_idle(struct stripe *stripe, uint64_t ino)
{
	struct node **at = slot_of(stripe, ino);
	struct node *node = *at;

	if (!node || node->lookups || node->cached || node->passed)
		return;
	*at = node->next;
	free(node);
	stripe->node_count--;
}

int nodes_new(struct nodes **out)
{
	struct nodes *nodes = calloc(1, sizeof *nodes);

	if (!nodes)
		return -ENOMEM;
	for (unsigned i = 0; i < STRIPES; i++) {
		struct stripe *stripe = &nodes->stripes[i];

		pthread_mutex_init(&stripe->lock, NULL);
		stripe->slots = calloc(SLOTS_FIRST, sizeof *stripe->slots);
		if (!stripe->slots) {
			nodes_free(nodes, NULL, NULL);
			return -ENOMEM;
		}
		stripe->slot_count = SLOTS_FIRST;
	}
	*out = nodes;
	return 0;
}

void nodes_free(struct nodes *nodes, void (*each)(void *ctx, uint64_t ino), void *ctx)
{
	if (!nodes)
		return;
	for (unsigned i = 0; i < STRIPES; i++) {
		struct stripe *stripe = &nodes->stripes[i];

		for (uint32_t j = 0; j < stripe->slot_count; j++) {
			struct node *node = stripe->slots[j];

			while (node) {
				struct node *next = node->next;

				if (node->unlinked && each)
					each(ctx, node->ino);
				free(node);
				node = next;
			}
		}
		free(stripe->slots);
	}
	free(nodes);
}

int nodes_add(struct nodes *nodes, uint64_t ino)
{
	struct stripe *stripe = stripe_of(nodes, ino);
	struct node *node;

	pthread_mutex_lock(&stripe->lock);
	node = find_or_add(stripe, ino);
	if (node)
		node->lookups++;
	pthread_mutex_unlock(&stripe->lock);
	return node ? 0 : -ENOMEM;
}

bool nodes_forget(struct nodes *nodes, uint64_t ino, uint64_t times)
{
	struct stripe *stripe = stripe_of(nodes, ino);
	struct node *node;
	bool gone = false;

	pthread_mutex_lock(&stripe->lock);
	node = find(stripe, ino);
	if (node) {
		node->lookups -= times < node->lookups ? times : node->lookups;
		gone = !node->lookups && node->unlinked;
		remove_idle(stripe, ino);
	}
	pthread_mutex_unlock(&stripe->lock);
	return gone;
}

bool nodes_set_unlinked(struct nodes *nodes, uint64_t ino, bool unlinked)
{
	struct stripe *stripe = stripe_of(nodes, ino);
	struct node *node;

	pthread_mutex_lock(&stripe->lock);
	node = find(stripe, ino);
	if (node)
		node->unlinked = unlinked;
	pthread_mutex_unlock(&stripe->lock);
	return node;
}

bool nodes_written_elsewhere(struct nodes *nodes, uint64_t ino)
{
	struct stripe *stripe = stripe_of(nodes, ino);
	struct node *node;
	bool yes;

	pthread_mutex_lock(&stripe->lock);
	node = find(stripe, ino);
	yes = node && node->pass_writers;
	pthread_mutex_unlock(&stripe->lock);
	return yes;
}

bool nodes_has_pages(struct nodes *nodes, uint64_t ino, uint64_t version)
{
	struct stripe *stripe = stripe_of(nodes, ino);
	struct node *node;
	bool yes;

	pthread_mutex_lock(&stripe->lock);
	node = find(stripe, ino);
	yes = node && node->has_pages && node->version == version;
	pthread_mutex_unlock(&stripe->lock);
	return yes;
}

/* The kernel's id for a backing file: one as long as any passthrough open exists. */
static int backing_open(struct node *node, int dev_fd, int content_fd)
{
	struct wire_backing backing = {.fd = content_fd};
	int id;

	if (node->passed)
		return 0;
	id = ioctl(dev_fd, WIRE_BACKING_OPEN, &backing);
	if (id <= 0)
		return id < 0 ? -errno : -EIO;
	node->backing_id = id;
	return 0;
}

static int open_passed(struct node *node, const struct node_ask *ask, struct node_open *out)
{
	int ret = backing_open(node, ask->dev_fd, ask->content_fd);

	if (ret)
		return ret;
	node->passed++;
	node->pass_writers += ask->writer;
	out->passthrough = true;
	out->backing_id = node->backing_id;
	return 0;
}

static void open_relayed(struct node *node, const struct node_ask *ask, struct node_open *out)
{
	bool fills = ask->writer && (ask->created || !ask->reader);

	out->direct = ask->may_direct && (node->direct || (fills && !node->cached));
	out->version = ask->version;
	out->keep_cache = node->has_pages && node->version == ask->version;
	node->cached++;
	node->direct += out->direct;
}

int nodes_open(
	struct nodes *nodes, uint64_t ino, const struct node_ask *ask, struct node_open *out, bool *denied)
{
	struct stripe *stripe = stripe_of(nodes, ino);
	struct node *node;
	int ret = -EAGAIN;

	*out = (struct node_open){.writer = ask->writer};
	*denied = false;
	pthread_mutex_lock(&stripe->lock);
	node = find_or_add(stripe, ino);
	if (!node) {
		pthread_mutex_unlock(&stripe->lock);
		return -ENOMEM;
	}
	if (node->passed || (ask->dev_fd >= 0 && ask->content_fd >= 0 && !node->cached)) {
		ret = open_passed(node, ask, out);
		*denied = ret == -EPERM || ret == -ELOOP || ret == -EOPNOTSUPP || ret == -ENOTTY;
	}
	if (ret)
		open_relayed(node, ask, out);
	pthread_mutex_unlock(&stripe->lock);
	return 0;
}

void nodes_close(struct nodes *nodes, uint64_t ino, int dev_fd, const struct node_open *open)
{
	struct stripe *stripe = stripe_of(nodes, ino);
	struct node *node;

	pthread_mutex_lock(&stripe->lock);
	node = find(stripe, ino);
	if (node && open->passthrough) {
		node->pass_writers -= open->writer;
		if (!--node->passed) {
			uint32_t id = (uint32_t)node->backing_id;

			ioctl(dev_fd, WIRE_BACKING_CLOSE, &id);
			node->backing_id = 0;
		}
	} else if (node) {
		/* Only now is it sure that the kernel has dropped older pages, as this open told it to. */
		node->has_pages = !open->direct;
		node->version = open->version;
		node->direct -= open->direct;
		node->cached--;
	}
	remove_idle(stripe, ino);
	pthread_mutex_unlock(&stripe->lock);
}
