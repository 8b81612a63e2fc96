#include "CToml.h"

#include <cstdio>
#include <string_view>
#include <toml++/toml.h>

namespace {

struct Walk {
    PostoTomlVisit visit;
    void *context;

    void node(const toml::node &value, int depth, std::string_view key) {
        const auto at = value.source().begin;
        const int line = int(at.line), column = int(at.column);
        const auto tell = [&](PostoTomlKind kind, std::string_view text = {}, int64_t integer = 0, double number = 0) {
            visit(context, depth, key.data(), key.size(), kind, text.data(), text.size(), integer, number, line, column);
        };
        switch (value.type()) {
        case toml::node_type::string: tell(POSTO_TOML_STRING, value.as_string()->get()); break;
        case toml::node_type::integer: tell(POSTO_TOML_INTEGER, {}, value.as_integer()->get()); break;
        case toml::node_type::floating_point: tell(POSTO_TOML_FLOAT, {}, 0, value.as_floating_point()->get()); break;
        case toml::node_type::boolean: tell(POSTO_TOML_BOOLEAN, {}, value.as_boolean()->get() ? 1 : 0); break;
        case toml::node_type::array:
            tell(POSTO_TOML_ARRAY);
            for (const auto &element : *value.as_array()) node(element, depth + 1, {});
            break;
        case toml::node_type::table: table(*value.as_table(), depth, key, line, column); break;
        default: tell(POSTO_TOML_OTHER); break;
        }
    }

    void table(const toml::table &value, int depth, std::string_view key, int line, int column) {
        visit(context, depth, key.data(), key.size(), POSTO_TOML_TABLE, nullptr, 0, 0, 0, line, column);
        for (const auto &[name, child] : value) member(name, child, depth + 1);
    }

    // A key knows its own line, which for a table header is the line a person looks for.
    void member(const toml::key &name, const toml::node &child, int depth) {
        const auto at = name.source().begin;
        if (child.is_table()) table(*child.as_table(), depth, name.str(), int(at.line), int(at.column));
        else node(child, depth, name.str());
    }
};

}  // namespace

int posto_toml_visit(const char *text, size_t length, PostoTomlVisit visit, void *context, char *message, size_t messageSize, int *line, int *column) {
    const toml::parse_result result = toml::parse(std::string_view{text, length});
    if (!result) {
        const auto &error = result.error();
        std::snprintf(message, messageSize, "%.*s", int(error.description().size()), error.description().data());
        *line = int(error.source().begin.line);
        *column = int(error.source().begin.column);
        return 1;
    }
    Walk walk{visit, context};
    walk.table(result.table(), 0, {}, 1, 1);
    return 0;
}
