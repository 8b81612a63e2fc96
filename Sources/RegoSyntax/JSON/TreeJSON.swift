/// Writes a tree as the JSON that OPA's `rego.parse_module` answers.
struct TreeJSON {
    private(set) var out: [UInt8] = []
    let source: SourceText

    init(_ source: SourceText) { self.source = source }

    // MARK: - Signs

    private mutating func raw(_ text: StaticString) { text.withUTF8Buffer { out.append(contentsOf: $0) } }

    mutating func string(_ text: String) { JSONText.append(text, to: &out) }

    /// `{"name":` or `,"name":`.
    private mutating func key(_ name: StaticString) {
        if let last = out.last, last != UInt8(ascii: "{") { raw(",") }
        raw("\"")
        raw(name)
        raw("\":")
    }

    private mutating func array<Element>(_ elements: some Collection<Element>, _ write: (inout TreeJSON, Element) -> Void) {
        raw("[")
        var isFirst = true
        for element in elements {
            if !isFirst { raw(",") }
            isFirst = false
            write(&self, element)
        }
        raw("]")
    }

    private mutating func terms(_ terms: some Collection<Term>) { array(terms) { $0.term($1) } }

    // MARK: - Modules

    mutating func module(_ module: Module) {
        raw("{")
        key("package")
        raw("{")
        key("path")
        terms(module.package.path)
        raw("}")
        if !module.imports.isEmpty {
            key("imports")
            array(module.imports) { $0.importOf($1) }
        }
        if !module.rules.isEmpty {
            key("rules")
            array(module.rules) { $0.rule($1) }
        }
        if !module.comments.isEmpty {
            key("comments")
            array(module.comments) { $0.comment($1) }
        }
        raw("}")
    }

    private mutating func importOf(_ one: Import) {
        raw("{")
        if let alias = one.alias {
            key("alias")
            string(alias)
        }
        key("path")
        term(Term(.ref(one.path)))
        raw("}")
    }

    private mutating func comment(_ comment: Comment) {
        raw("{")
        key("Text")
        // Go writes bytes in Base64, and none as null.
        if comment.text.isEmpty {
            raw("null")
        } else {
            raw("\"")
            out.append(contentsOf: Base64.encode(Array(comment.text.utf8)))
            raw("\"")
        }
        key("Location")
        raw("{")
        key("file")
        string(source.name)
        key("row")
        integer(comment.location.row)
        key("col")
        integer(comment.location.column)
        raw("}}")
    }

    private mutating func integer(_ value: UInt32) { out.append(contentsOf: String(value).utf8) }

    // MARK: - Rules

    private mutating func rule(_ rule: Rule) {
        raw("{")
        if rule.isDefault {
            key("default")
            raw("true")
        }
        key("head")
        head(rule.head)
        key("body")
        body(rule.body)
        // A chain of branches nests in JSON, but takes no stack here.
        for branch in rule.elses {
            key("else")
            raw("{")
            key("head")
            var head = rule.head
            head.value = branch.value
            head.arguments = branch.arguments
            head.isAssigned = branch.isAssigned
            self.head(head)
            key("body")
            body(branch.body)
        }
        for _ in rule.elses { raw("}") }
        raw("}")
    }

    private mutating func head(_ head: Head) {
        raw("{")
        if let name = head.name {
            key("name")
            string(name)
        }
        key("ref")
        terms(head.ref)
        if !head.arguments.isEmpty {
            key("args")
            terms(head.arguments)
        }
        if let term = head.key {
            key("key")
            self.term(term)
        }
        if let value = head.value {
            key("value")
            term(value)
        }
        if head.isAssigned {
            key("assign")
            raw("true")
        }
        raw("}")
    }

    // MARK: - Expressions

    mutating func body(_ body: Body) {
        raw("[")
        for (index, one) in body.enumerated() {
            if index > 0 { raw(",") }
            expression(one, index: index)
        }
        raw("]")
    }

    private mutating func expression(_ expression: Expression, index: Int) {
        raw("{")
        key("index")
        integer(UInt32(index))
        if expression.isNegated {
            key("negated")
            raw("true")
        }
        key("terms")
        switch expression.kind {
        case .term(let term): self.term(term)
        case .call(let terms): self.terms(terms)
        case .some(let declaration):
            raw("{")
            key("symbols")
            terms(declaration.symbols)
            raw("}")
        case .every(let every): self.every(every)
        case .not(let inner):
            raw("{")
            key("body")
            body(inner.body)
            raw("}")
        case .and(let operation): logical("and", operation)
        case .or(let operation): logical("or", operation)
        }
        if !expression.with.isEmpty {
            key("with")
            array(expression.with) { json, with in
                json.raw("{")
                json.key("target")
                json.term(with.target)
                json.key("value")
                json.term(with.value)
                json.raw("}")
            }
        }
        raw("}")
    }

    private mutating func every(_ every: Every) {
        raw("{")
        key("key")
        if let term = every.key { self.term(term) } else { raw("null") }
        key("value")
        term(every.value)
        key("domain")
        term(every.domain)
        key("body")
        body(every.body)
        raw("}")
    }

    private mutating func logical(_ name: StaticString, _ operation: LogicalOperation) {
        raw("{")
        key("operator")
        raw("\"")
        raw(name)
        raw("\"")
        key("lhs")
        body(operation.left.body)
        key("rhs")
        body(operation.right.body)
        raw("}")
    }

    // MARK: - Terms

    mutating func term(_ term: Term) {
        raw("{")
        key("type")
        raw("\"")
        out.append(contentsOf: term.value.kindName.utf8)
        raw("\"")
        key("value")
        value(term.value)
        raw("}")
    }

    private mutating func value(_ value: TermValue) {
        switch value {
        case .null: raw("null")
        case .boolean(let value): raw(value ? "true" : "false")
        case .number(let text): number(text)
        case .string(let text), .variable(let text): string(text)
        case .ref(let parts), .call(let parts), .array(let parts): terms(parts)
        case .set(let parts): terms(TermOrder.unique(parts))
        case .object(let items):
            array(TermOrder.unique(items)) { json, item in
                json.raw("[")
                json.term(item.key)
                json.raw(",")
                json.term(item.value)
                json.raw("]")
            }
        case .arrayComprehension(let inner), .setComprehension(let inner):
            raw("{")
            key("term")
            term(inner.value)
            key("body")
            body(inner.body)
            raw("}")
        case .objectComprehension(let inner):
            raw("{")
            key("key")
            if let term = inner.key { self.term(term) }
            key("value")
            term(inner.value)
            key("body")
            body(inner.body)
            raw("}")
        case .template(let template):
            raw("{")
            key("parts")
            array(template.parts) { json, part in
                switch part {
                case .text(let text, _): json.term(Term(.string(text)))
                case .scalar(let term): json.term(term)
                case .expression(let expression): json.expression(expression, index: 0)
                }
            }
            key("multi_line")
            raw(template.isRaw ? "true" : "false")
            raw("}")
        }
    }

    /// JSON has no `.5`.
    private mutating func number(_ text: String) {
        if text.hasPrefix(".") {
            raw("0")
            out.append(contentsOf: text.utf8)
        } else if text.hasPrefix("-.") {
            raw("-0")
            out.append(contentsOf: text.utf8.dropFirst())
        } else {
            out.append(contentsOf: text.utf8)
        }
    }
}

extension Module {
    /// The tree as JSON, as OPA's `rego.parse_module` writes it: no places but those of comments, sets and the keys of objects sorted.
    ///
    /// Branches of `else` nest: a reader with a limit of depth may refuse a very long chain.
    public func json() -> [UInt8] {
        var json = TreeJSON(source)
        json.module(self)
        return json.out
    }
}
