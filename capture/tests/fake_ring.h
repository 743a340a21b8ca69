/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: the kernel's side of a ring buffer, in this process. */
#ifndef CAPTURE_TESTS_FAKE_RING_H
#define CAPTURE_TESTS_FAKE_RING_H

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/internal.h"

#define FAKE_RING_SIZE 65536u
#define FAKE_BUSY      (1u << 31)
#define FAKE_DISCARD   (1u << 30)

struct fake_ring {
	_Atomic uint64_t consumer, producer;
	uint8_t *data; /* the same memory twice */
	struct ring ring;
};

static inline void fake_ring_init(struct fake_ring *f, uint64_t at, int16_t cpu)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);

	memset(f, 0, sizeof(*f));
	assert_true(fd >= 0 && ftruncate(fd, FAKE_RING_SIZE) == 0);
	f->data = mmap(NULL, 2 * FAKE_RING_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(f->data != MAP_FAILED);
	for (unsigned i = 0; i < 2; i++)
		assert_true(mmap(f->data + i * FAKE_RING_SIZE, FAKE_RING_SIZE,
				 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
				 0) != MAP_FAILED);
	close(fd);
	atomic_store(&f->consumer, at);
	atomic_store(&f->producer, at);
	ring_attach(&f->ring, &f->consumer, &f->producer, f->data, FAKE_RING_SIZE, cpu);
}

static inline void fake_ring_done(struct fake_ring *f)
{
	munmap(f->data, 2 * FAKE_RING_SIZE);
}

/* Reserve @len bytes. Return: their header, busy; or NULL when the ring is full. */
static inline uint8_t *fake_ring_reserve(struct fake_ring *f, uint32_t len)
{
	uint64_t at = atomic_load(&f->producer), need = (len + 8 + 7) & ~7ull;
	uint8_t *p = f->data + (at & (FAKE_RING_SIZE - 1));
	uint32_t head = len | FAKE_BUSY;

	if (at + need - atomic_load(&f->consumer) > FAKE_RING_SIZE)
		return NULL;
	memcpy(p, &head, sizeof(head));
	atomic_store(&f->producer, at + need);
	return p;
}

static inline void fake_ring_commit(uint8_t *p, bool discard)
{
	uint32_t head;

	memcpy(&head, p, sizeof(head));
	head = (head & ~FAKE_BUSY) | (discard ? FAKE_DISCARD : 0);
	memcpy(p, &head, sizeof(head));
}

/* A record of @len bytes that begins with its time. */
static inline bool fake_ring_put(struct fake_ring *f, uint64_t ts, uint32_t len)
{
	uint8_t *p = fake_ring_reserve(f, len);

	if (!p)
		return false;
	memset(p + 8, 0, len);
	memcpy(p + 8, &ts, len < 8 ? len : 8);
	fake_ring_commit(p, false);
	return true;
}

#endif
