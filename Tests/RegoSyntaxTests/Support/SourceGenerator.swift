/// Makes well-formed modules by chance: every form of the language, in every layout and with comments in odd places.
struct SourceGenerator {
    private var state: UInt64
    private var text = ""
    private var keys = 0
    /// Levels that may still be opened.
    private var budget = 0
    /// Rows may break here: within brackets and bodies.
    private var mayBreak = true

    /// Whether comments stand in odd places.
    private let hasComments: Bool

    init(seed: UInt64, hasComments: Bool = false) {
        state = seed
        self.hasComments = hasComments
    }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }
    private mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    private mutating func pick(_ choices: [String]) -> String { choices[below(choices.count)] }

    mutating func module() -> String {
        text = ""
        if chance(20) { text += "# METADATA\n# title: a\n" }
        text += pick(["package a", "package a.b", "package a[\"b c\"].d", "package a.if"]) + "\n"
        if chance(40) { text += "import data.x.y as z" + pick(["", " # why"]) + "\nimport data.b\n" }
        if chance(20) { text += "\nimport rego.v1\n" }
        let logical = chance(40)
        if logical { text += "import future.keywords.and\nimport future.keywords.or\nimport future.keywords.not\n" }
        for _ in 0..<(1 + below(6)) {
            comment()
            rule(logical: logical)
            text += pick(["\n", "\n\n", "\n\n\n"])
        }
        return text
    }

    private mutating func comment() { if chance(15) { text += pick(["# one\n", "# one\n# two\n\n", "#\n"]) } }

    /// A blank where a row may break, with a comment now and then.
    private mutating func blank() {
        switch below(14) {
        case 0 where mayBreak: text += "\n"
        case 1 where mayBreak && hasComments: text += " # c\n  "
        case 2 where mayBreak: text += "\n\n\t"
        case 3: text += "  "
        default: text += " "
        }
    }

    private mutating func rule(logical: Bool) {
        budget = 2 + below(3)
        mayBreak = false
        switch below(9) {
        case 0: text += "default " + name() + " := " + pick(["1", "\"x\"", "[1, 2]", "{}", "false"])
        case 1:
            text += name() + " := "
            infix()
        case 2:
            text += name() + " contains "
            infix()
            if chance(70) { ifBody(logical: logical) }
        case 3:
            text += name() + "(" + pick(["x", "x, _", "[x, y]", "{\"a\": x}, 1"]) + ") := "
            infix()
            if chance(60) { ifBody(logical: logical) }
        case 4:
            text += pick(["p[x]", "p.q.r", "p[x].q", "p[\"a b\"][y]", "q.not"])
            if chance(60) { text += " := 1" }
            ifBody(logical: logical)
        case 5:
            text += name() + " := 1"
            ifBody(logical: logical)
            for _ in 0..<below(3) {
                text += pick([" else := ", "\nelse := "])
                term()
                ifBody(logical: logical)
            }
        default:
            text += name()
            ifBody(logical: logical)
        }
    }

    private mutating func name() -> String { pick(["p", "q", "allow", "deny", "long_name_of_a_rule"]) }

    private mutating func ifBody(logical: Bool) {
        text += " if "
        if chance(25) {
            // A set alone would be read as a body.
            text += pick(["x == ", "not ", "y := ", "input.x in "])
            plainTerm()
        } else {
            text += "{"
            body(logical: logical, separator: true)
            text += "}"
        }
    }

    private mutating func body(logical: Bool, separator: Bool) {
        let saved = mayBreak
        mayBreak = true
        blank()
        let count = 1 + below(3)
        for index in 0..<count {
            expression(logical: logical, canOpenBrace: index > 0)
            if index + 1 < count { text += pick(["; ", "\n", "\n\n\n", hasComments ? " # c\n" : "\n\n", ";\n"]) }
        }
        if chance(40) { text += pick(["\n"] + (hasComments ? [" # end\n", "\n# end\n"] : [])) } else { text += " " }
        mayBreak = saved
    }

    private mutating func expression(logical: Bool, canOpenBrace: Bool) {
        budget -= 1
        defer { budget += 1 }
        if logical, budget > 1, chance(35) { return logicalExpression() }
        switch below(10) {
        case 0:
            text += pick(["some x; true", "some x, y; true", "some k, v in "])
            if text.hasSuffix("in ") { plainTerm() }
            return
        case 1 where budget > 1:
            text += pick(["every x in ", "every k, v in "])
            plainTerm()
            text += " {"
            body(logical: logical, separator: true)
            text += "}"
        case 2:
            text += "not "
            comparison()
        case 3:
            text += pick(["x := ", "[x, y] := ", "x = "])
            infix()
        default: comparison()
        }
        if chance(15) {
            text += " with input" + pick(["", ".x", "[\"a b\"]"]) + " as "
            term()
            if chance(30) {
                text += mayBreak ? pick([" ", "\n\t\t"]) : " "
                text += "with data.y as 1"
            }
        }
    }

    private mutating func logicalExpression() {
        let count = 2 + below(3)
        for index in 0..<count {
            switch below(8) {
            case 0 where budget > 0:
                budget -= 2
                text += "("
                logicalExpression()
                text += ")"
                budget += 2
            case 1 where budget > 0:
                text += "{"
                body(logical: false, separator: true)
                text += "}"
            case 2:
                text += "not "
                comparison()
            case 3 where budget > 0:
                text += "not {"
                body(logical: false, separator: true)
                text += "}"
            default: comparison()
            }
            guard index + 1 < count else { return }
            text += pick([" and", " or"])
            blank()
        }
    }

    private mutating func comparison() {
        plainTerm()
        if chance(60) {
            text += pick([" == ", " != ", " < ", " >= ", " in ", " + ", " - ", " | ", " & ", " * "])
            plainTerm()
            if chance(25) {
                text += pick([" == ", " in ", " - ", " | ", " % "])
                plainTerm()
            }
        }
    }

    /// Operators and terms, where a row does not end an expression.
    private mutating func infix() { comparison() }

    /// A term that does not begin with a brace, which may be read as a body.
    private mutating func plainTerm() {
        let start = text.endIndex
        term()
        if text[start...].hasPrefix("{") {
            text.insert("(", at: start)
            text += ")"
        }
    }

    private mutating func term() {
        budget -= 1
        defer { budget += 1 }
        guard budget > 0 else {
            text += pick(["1", "x", "\"s\"", "true", "null", "input.x", "_", "-1.5e3", "`r`", "[]", "set()"])
            return
        }
        switch below(16) {
        case 0: list("[", "]") { $0.infix() }
        case 1: list("{", "}") { $0.element() }
        case 2:
            list("{", "}") {
                // Duplicate keys are dropped by the formatter, which moves what is left of the row.
                $0.keys += 1
                $0.text += $0.pick(["\"k\($0.keys)\"", "x\($0.keys)", "\($0.keys)"]) + ":"
                $0.blank()
                $0.element()
            }
        case 3: comprehension("[", "]", key: false)
        case 4: comprehension("{", "}", key: false)
        case 5: comprehension("{", "}", key: true)
        case 6:
            text += pick(["count", "f", "a.b.c", "io.jwt.decode"])
            list("(", ")") { $0.infix() }
        case 7:
            text += "("
            let saved = mayBreak
            mayBreak = true
            comparison()
            mayBreak = saved
            text += ")"
        case 8:
            text += pick(["x", "data.a", "input", "f(1)", "[1, 2]"]) + "["
            infix()
            text += "]" + pick(["", ".y", "[_]", "[\"a b\"]", ".if"])
        case 9: text += pick(["$\"a {input.x} b\"", "$\"{1}{x}\\{\"", "$`a {x}\n\\{ {\"s\"}`", "$\"\"", "$\"{count([x])}\""])
        case 10: text += pick(["\"a\\n\\u00e9\\\"\"", "`raw \\ text`", "\"é\"", "0.50", "1e3", ".5", "-2"])
        default: text += pick(["x", "input.y", "data.z[_]", "\"s\"", "1", "false", "null", "_"])
        }
    }

    private mutating func element() {
        let start = text.endIndex
        infix()
        // `x | y` first in braces would be a comprehension.
        if text[start...].contains("|") {
            text.insert("(", at: start)
            text += ")"
        }
    }

    private mutating func list(_ open: String, _ close: String, _ element: (inout SourceGenerator) -> Void) {
        let saved = mayBreak
        mayBreak = true
        text += open
        let count = 1 + below(3)
        if chance(25) { blank() }
        for index in 0..<count {
            let start = text.endIndex
            element(&self)
            if open == "[", index == 0, text[start...].contains("|") {
                text.insert("(", at: start)
                text += ")"
            }
            if index + 1 < count || chance(15) {
                text += ","
                blank()
            }
        }
        text += close
        mayBreak = saved
    }

    private mutating func comprehension(_ open: String, _ close: String, key: Bool) {
        let saved = mayBreak
        mayBreak = true
        text += open
        if chance(15) { blank() }
        if key { text += pick(["k", "\"k\"", "(x + 1)"]) + ": " }
        text += pick(["x", "[x, y]", "(x + 1)", "f(x)", "x.y[_]", "(x | y)"]) + " |"
        body(logical: false, separator: true)
        text += close
        mayBreak = saved
    }
}
