// Counts this thread's allocations, so that `posto bench decisions` can say how many a decision makes. The C library's own functions do the work;
// the count costs an addition to a thread-local word.
#include "CPlatform.h"

#include <stddef.h>
#include <stdint.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define POSTO_SANITIZED 1
#endif
#endif
#ifndef POSTO_SANITIZED

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static __thread uint64_t posto_count __attribute__((tls_model("initial-exec")));

void *malloc(size_t size) {
    posto_count++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    posto_count++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    posto_count++;
    return __libc_realloc(old, size);
}

uint64_t posto_allocations(void) { return posto_count; }
#define POSTO_COUNTS 1
#endif
#endif

#ifndef POSTO_COUNTS
uint64_t posto_allocations(void) { return 0; }
#endif
