// Packages, imports and queries.

/// One statement of a text, before it is known what the text is.
enum Statement {
    case package(Package)
    case `import`(Import)
    case rule(Rule)
    /// Expressions; in a module they must turn out to be a rule.
    case body(Body)

    var location: Location {
        switch self {
        case .package(let package): package.location
        case .import(let one): one.location
        case .rule(let rule): rule.location
        case .body(let body): body[0].location
        }
    }
}

extension Parser {
    /// All statements. Stops at the first problem.
    ///
    /// - Parameter rules: whether rules are statements; a query knows expressions only.
    mutating func parseStatements(rules: Bool) -> [Statement] {
        var statements: [Statement] = []
        scan()
        while state.token != .eof {
            if !memo.isEmpty { memo.removeAll() }
            let kept = state
            if state.token == .package || state.token == .import {
                if state.token == .package, let package = parsePackage() {
                    statements.append(.package(package))
                    continue
                } else if state.token == .import, let one = parseImport() {
                    apply(one)
                    statements.append(.import(one))
                    continue
                }
                guard problems.isEmpty else { break }
                restore(kept)
            }
            if rules {
                if let rules = parseRules() {
                    for rule in rules { statements.append(.rule(rule)) }
                    continue
                }
                guard problems.isEmpty else { break }
                restore(kept)
            }
            guard let body = parseQuery(until: .eof, oneExpression: true) else { break }
            statements.append(.body(body))
        }
        return statements
    }

    /// Nil without a problem when `package` begins a reference.
    private mutating func parsePackage() -> Package? {
        let place = location
        guard beginsPath(after: place) else { return nil }
        guard let term = parseTerm() else {
            if problems.isEmpty { report("expected path", at: location) }
            return nil
        }
        let root = Term(.variable("data"), at: term.location)
        switch term.value {
        case .variable(let name):
            return Package(path: [root, Term(.string(name), at: term.location)], at: place)
        case .ref(let parts):
            guard case .variable(let name) = parts[0].value else {
                report("unexpected \(parts[0].value.kindName) token: expecting var", at: parts[0].location)
                return nil
            }
            for part in parts.dropFirst() {
                guard case .string = part.value else {
                    report("unexpected \(part.value.kindName) token: expecting string", at: part.location)
                    return nil
                }
            }
            return Package(path: [root, Term(.string(name), at: parts[0].location)] + parts.dropFirst(), at: place)
        default:
            illegal()
            return nil
        }
    }

    /// Steps over `package` or `import`; a keyword may begin the path. False for a reference, or with a problem.
    private mutating func beginsPath(after place: Location) -> Bool {
        let next = byte(state.end)
        if next == UInt8(ascii: ".") || next == UInt8(ascii: "[") { return false }
        scan()
        if state.token != .identifier {
            guard mayBeName(state.token) else {
                illegal()
                return false
            }
            state.token = .identifier
        }
        return true
    }

    private mutating func parseImport() -> Import? {
        let place = location
        guard beginsPath(after: place) else { return nil }
        // `import future.keywords.in` must read the same when `in` is a keyword already.
        let known = keywords
        keywords = .always
        let term = parseTerm()
        keywords = known
        var path: [Term]?
        switch term?.value {
        case .variable?: path = term.map { [$0] }
        case .ref(let parts)?:
            for part in parts.dropFirst() {
                guard case .string = part.value else {
                    report("unexpected \(part.value.kindName) token: expecting string", at: part.location)
                    return nil
                }
            }
            path = parts
        default: break
        }
        guard let path, let term else {
            report("expected path", at: location)
            return nil
        }
        guard case .variable(let root) = path[0].value, ["data", "input", "future", "rego"].contains(root) else {
            hint("if this is unexpected, try updating OPA")
            report(
                "unexpected import path, must begin with one of: {data, future, input, rego}, got: \(TermText.text(of: path[0]))",
                at: term.location)
            return nil
        }
        var found = Import(path: path, pathLocation: term.location, alias: nil, at: place)
        if state.token == .as {
            scan()
            guard state.token == .identifier, let alias = parseTerm(), case .variable(let name) = alias.value else {
                illegal("expected var")
                return nil
            }
            found.alias = name
            return found
        }
        if root != "future" || path.count == 1, isKeyword(found.name) {
            report(
                "unexpected import path, must not end with a keyword, got: \(found.name)", at: path[path.count - 1].location)
            hint("import a different path or use an alias")
        }
        return found
    }

    private func isKeyword(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { bytes in
            guard let word = Token.keyword(bytes) else { return false }
            return KeywordSet.always.contains(word) || (version != .v0 && KeywordSet.v1.contains(word))
        }
    }

    /// What an import of keywords does to the rest of the text.
    private mutating func apply(_ found: Import) {
        guard case .variable(let root) = found.path[0].value else { return }
        switch root {
        case "rego": applyRegoImport(found)
        case "future": applyFutureImport(found)
        default: break
        }
    }

    private mutating func applyRegoImport(_ found: Import) {
        guard found.path.count == 2, case .string("v1") = found.path[1].value else {
            report("invalid import `\(TermText.text(ofRef: found.path))`, must be `rego.v1`", at: found.pathLocation)
            return
        }
        guard version != .v1 else { return }
        guard found.alias == nil else {
            report("`rego` imports cannot be aliased", at: found.pathLocation)
            return
        }
        keywords.formUnion(.v1)
    }

    private mutating func applyFutureImport(_ found: Import) {
        guard found.path.count > 1, case .string("keywords") = found.path[1].value else {
            report("invalid import, must be `future.keywords`", at: found.pathLocation)
            return
        }
        guard found.alias == nil else {
            report("`future` imports cannot be aliased", at: found.pathLocation)
            return
        }
        if found.path.count == 3, case .string(let name) = found.path[2].value {
            guard let word = FutureKeyword(rawValue: name) else {
                let all = FutureKeyword.allCases.map(\.rawValue).sorted().joined(separator: " ")
                report("unexpected keyword, must be one of [\(all)]", at: found.pathLocation)
                return
            }
            enable(word)
        } else {
            for word in FutureKeyword.allCases where word.isOfV1 { enable(word) }
        }
    }
}
