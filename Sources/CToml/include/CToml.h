// A C face over toml++ (TOML 1.0), as small as the configuration reader needs.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { POSTO_TOML_STRING, POSTO_TOML_INTEGER, POSTO_TOML_FLOAT, POSTO_TOML_BOOLEAN, POSTO_TOML_ARRAY, POSTO_TOML_TABLE, POSTO_TOML_OTHER } PostoTomlKind;

/// One value of the document, in document order of its table; tables and arrays are visited before what they hold.
/// `depth` is 0 at the top; `key` is empty for an element of an array.
typedef void (*PostoTomlVisit)(void *context, int depth, const char *key, size_t keyLength, PostoTomlKind kind, const char *text, size_t textLength,
                               int64_t integer, double number, int line, int column);

/// Parses `text`. On success visits every value and returns 0. On failure returns 1 and writes the sentence, line and column.
int posto_toml_visit(const char *text, size_t length, PostoTomlVisit visit, void *context, char *message, size_t messageSize, int *line, int *column);

#ifdef __cplusplus
}
#endif
