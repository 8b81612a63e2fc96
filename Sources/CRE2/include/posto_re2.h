// RE2 (BSD licence), which Swift cannot call itself because its interface is C++.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct posto_re2 posto_re2;

// Compiles a pattern of Go's syntax. On failure NULL, and `error` has the reason, which names the offending part, as Go writes it.
// `memory_max` bounds the compiled pattern and the states that matching keeps.
posto_re2 *posto_re2_new(const char *pattern, size_t length, int64_t memory_max, char *error, size_t error_size);
void posto_re2_free(posto_re2 *expression);

// Groups, the whole match not counted.
int posto_re2_groups(const posto_re2 *expression);

// The name of a group from 1, or NULL. Lives as long as the expression.
const char *posto_re2_name(const posto_re2 *expression, int group);

// Finds the first match at or after `start`. 1: found, and `spans` has begin and end of the whole match and of `groups` groups (-1: took no part).
// 0: none.
int posto_re2_match(const posto_re2 *expression, const char *text, size_t length, size_t start, int groups, int64_t *spans);

#ifdef __cplusplus
}
#endif
