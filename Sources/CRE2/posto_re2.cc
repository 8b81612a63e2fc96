#include "posto_re2.h"

#include <cstring>
#include <new>
#include <string>
#include <vector>

#include <re2/re2.h>

struct posto_re2 {
    RE2 expression;
    posto_re2(const re2::StringPiece &pattern, const RE2::Options &options) : expression(pattern, options) {}
};

namespace {

// The words of Go's package regexp/syntax.
const char *reason(RE2::ErrorCode code) {
    switch (code) {
    case RE2::ErrorBadEscape: return "invalid escape sequence";
    case RE2::ErrorBadCharClass: return "invalid character class";
    case RE2::ErrorBadCharRange: return "invalid character class range";
    case RE2::ErrorMissingBracket: return "missing closing ]";
    case RE2::ErrorMissingParen: return "missing closing )";
    case RE2::ErrorUnexpectedParen: return "unexpected )";
    case RE2::ErrorTrailingBackslash: return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument: return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize: return "invalid repeat count";
    case RE2::ErrorRepeatOp: return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8: return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture: return "invalid named capture";
    case RE2::ErrorPatternTooLarge: return "expression too large";
    default: return "regexp/syntax: internal error";
    }
}

void say(char *error, size_t size, const std::string &text) {
    if (size == 0) return;
    size_t count = text.size() < size - 1 ? text.size() : size - 1;
    std::memcpy(error, text.data(), count);
    error[count] = 0;
}

} // namespace

posto_re2 *posto_re2_new(const char *pattern, size_t length, int64_t memory_max, char *error, size_t error_size) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(memory_max);
    posto_re2 *made = new (std::nothrow) posto_re2(re2::StringPiece(pattern, length), options);
    if (made == nullptr) {
        say(error, error_size, "out of memory");
        return nullptr;
    }
    if (!made->expression.ok()) {
        const std::string argument = made->expression.error_arg();
        const bool paren = made->expression.error_code() == RE2::ErrorMissingParen && argument.find('(') == std::string::npos;
        say(error, error_size,
            std::string("error parsing regexp: ") + (paren ? "unexpected )" : reason(made->expression.error_code())) + ": `" + argument + "`");
        delete made;
        return nullptr;
    }
    return made;
}

void posto_re2_free(posto_re2 *expression) { delete expression; }

int posto_re2_groups(const posto_re2 *expression) { return expression->expression.NumberOfCapturingGroups(); }

const char *posto_re2_name(const posto_re2 *expression, int group) {
    const auto &names = expression->expression.CapturingGroupNames();
    const auto found = names.find(group);
    return found == names.end() ? nullptr : found->second.c_str();
}

int posto_re2_match(const posto_re2 *expression, const char *text, size_t length, size_t start, int groups, int64_t *spans) {
    re2::StringPiece all(text, length);
    std::vector<re2::StringPiece> found(groups + 1);
    if (!expression->expression.Match(all, start, length, RE2::UNANCHORED, found.data(), groups + 1)) return 0;
    for (int index = 0; index <= groups; index++) {
        const bool took_part = found[index].data() != nullptr;
        spans[index * 2] = took_part ? found[index].data() - text : -1;
        spans[index * 2 + 1] = took_part ? found[index].data() + found[index].size() - text : -1;
    }
    return 1;
}
