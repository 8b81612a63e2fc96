/// What v1 asks of each rule beyond being readable.
struct RegoV1Check {
    var requireIf = true
    var requireContains = true
    var requireBodyOrValue = true

    static let all = RegoV1Check()

    func check(_ rule: Rule, into problems: inout [SyntaxProblem]) {
        let head = rule.head
        let kind = head.arguments.isEmpty ? "rule" : "function"
        check(
            name: head.ref.count < 2 ? head.name : nil, kind: kind, at: rule.location, hasIf: head.hasIf, isDefault: rule.isDefault,
            hasGeneratedBody: rule.hasGeneratedBody, hasGeneratedValue: head.hasGeneratedValue,
            isSet: head.key != nil && head.value == nil && !head.hasContains, into: &problems)
        for branch in rule.elses {
            check(
                name: nil, kind: kind, at: branch.location, hasIf: branch.hasIf, isDefault: false,
                hasGeneratedBody: branch.hasGeneratedBody, hasGeneratedValue: branch.hasGeneratedValue, isSet: false, into: &problems)
        }
    }

    private func check(
        name: String?, kind: String, at location: Location, hasIf: Bool, isDefault: Bool, hasGeneratedBody: Bool, hasGeneratedValue: Bool,
        isSet: Bool, into problems: inout [SyntaxProblem]
    ) {
        if let name, Self.isKeyword(name) {
            problems.append(SyntaxProblem(message: "\(name) keyword cannot be used for rule name", at: location))
        }
        if requireBodyOrValue, hasGeneratedBody, hasGeneratedValue {
            problems.append(SyntaxProblem(message: "\(kind) must have value assignment and/or body declaration", at: location))
        }
        if requireIf, !hasGeneratedBody, !hasIf, !isDefault {
            problems.append(SyntaxProblem(message: "`if` keyword is required before \(kind) body", at: location))
        }
        if requireContains, isSet {
            problems.append(SyntaxProblem(message: "`contains` keyword is required for partial set rules", at: location))
        }
    }

    private static func isKeyword(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { bytes in
            guard let word = Token.keyword(bytes) else { return false }
            return KeywordSet.always.contains(word) || KeywordSet.v1.contains(word)
        }
    }
}
