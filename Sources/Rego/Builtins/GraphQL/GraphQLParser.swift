extension GraphQL {
    /// Reads documents; the first error ends it.
    struct Parser {
        private var lexer: Lexer
        private var peeked: Token?
        /// Of lists, objects, types and selections: recursion costs stack.
        var depth = 0

        init(_ bytes: [UInt8]) { lexer = Lexer(bytes) }

        mutating func peek() throws(Trouble) -> Token {
            if let peeked { return peeked }
            let token = try lexer.next()
            peeked = token
            return token
        }

        @discardableResult
        mutating func next() throws(Trouble) -> Token {
            let token = try peek()
            peeked = nil
            return token
        }

        func unexpected(_ token: Token) -> Trouble { Trouble(message: "Unexpected \(token.text)", position: token.position) }

        mutating func unexpected() throws(Trouble) -> Trouble { unexpected(try peek()) }

        @discardableResult
        mutating func expect(_ kind: Token.Kind) throws(Trouble) -> Token {
            let token = try peek()
            guard token.kind == kind else {
                throw Trouble(message: "Expected \(kind.rawValue), found \(token.kind.rawValue)", position: token.position)
            }
            return try next()
        }

        mutating func expectKeyword(_ word: String) throws(Trouble) {
            let token = try peek()
            guard token.kind == .name, token.value == word else {
                throw Trouble(message: "Expected \(GoQuote.quoted(word)), found \(token.text)", position: token.position)
            }
            try next()
        }

        mutating func skip(_ kind: Token.Kind) throws(Trouble) -> Bool {
            guard try peek().kind == kind else { return false }
            try next()
            return true
        }

        mutating func name() throws(Trouble) -> String { try expect(.name).value }

        mutating func nested<Result>(_ body: (inout Parser) throws(Trouble) -> Result) throws(Trouble) -> Result {
            depth += 1
            defer { depth -= 1 }
            if depth > BuiltinLimits.depthMax {
                throw Trouble(message: "Document is nested more than \(BuiltinLimits.depthMax) deep", position: try peek().position)
            }
            return try body(&self)
        }

        /// What stands between two signs, if the first is there.
        mutating func list<Element>(
            _ open: Token.Kind, _ close: Token.Kind, atLeastOne: Bool, _ element: (inout Parser) throws(Trouble) -> Element
        ) throws(Trouble) -> [Element] {
            guard try skip(open) else { return [] }
            var elements: [Element] = []
            while try peek().kind != close { elements.append(try element(&self)) }
            if atLeastOne && elements.isEmpty {
                let token = try peek()
                throw Trouble(message: "expected at least one definition, found \(token.kind.rawValue)", position: token.position)
            }
            try next()
            return elements
        }

        // MARK: Executable documents

        static func query(_ bytes: [UInt8]) throws(Trouble) -> QueryDocument {
            var parser = Parser(bytes)
            var document = QueryDocument()
            while true {
                let token = try parser.peek()
                switch (token.kind, token.value) {
                case (.end, _): return document
                case (.braceLeft, _), (.name, "query"), (.name, "mutation"), (.name, "subscription"):
                    document.operations.append(try parser.operation())
                case (.name, "fragment"):
                    document.fragments.append(try parser.fragment())
                default:
                    throw parser.unexpected(token)
                }
            }
        }

        private mutating func operation() throws(Trouble) -> OperationDefinition {
            var operation = OperationDefinition()
            operation.position = try peek().position
            if try peek().kind != .braceLeft {
                operation.operation = try operationType()
                if try peek().kind == .name { operation.name = try next().value }
                operation.variables = try variableDefinitions()
                operation.directives = try directives(constant: false)
            }
            operation.selections = try requiredSelections()
            return operation
        }

        mutating func operationType() throws(Trouble) -> String {
            let token = try next()
            guard Operation(rawValue: token.value) != nil else { throw unexpected(token) }
            return token.value
        }

        private mutating func variableDefinitions() throws(Trouble) -> [VariableDefinition] {
            try list(.parenthesisLeft, .parenthesisRight, atLeastOne: false) { parser throws(Trouble) in
                var definition = VariableDefinition()
                definition.position = try parser.peek().position
                definition.name = try parser.variable()
                try parser.expect(.colon)
                definition.type = try parser.typeReference()
                if try parser.skip(.equals) { definition.defaultValue = try parser.value(constant: true) }
                definition.directives = try parser.directives(constant: false)
                return definition
            }
        }

        private mutating func variable() throws(Trouble) -> String {
            try expect(.dollar)
            return try name()
        }

        private mutating func requiredSelections() throws(Trouble) -> [Selection] {
            let token = try peek()
            guard token.kind == .braceLeft else {
                throw Trouble(message: "Expected {, found \(token.kind.rawValue)", position: token.position)
            }
            return try nested { parser throws(Trouble) in
                try parser.list(.braceLeft, .braceRight, atLeastOne: true) { parser throws(Trouble) in try parser.selection() }
            }
        }

        private mutating func selection() throws(Trouble) -> Selection {
            let position = try peek().position
            guard try peek().kind == .spread else {
                var field = Field()
                field.position = position
                field.alias = try name()
                field.name = try skip(.colon) ? name() : field.alias
                field.arguments = try arguments(constant: false)
                field.directives = try directives(constant: false)
                if try peek().kind == .braceLeft { field.selections = try requiredSelections() }
                return .field(field)
            }
            try next()
            let token = try peek()
            if token.kind == .name && token.value != "on" {
                return .spread(
                    FragmentSpread(name: try fragmentName(), directives: try directives(constant: false), position: position))
            }
            var inline = InlineFragment()
            inline.position = position
            if token.kind == .name {
                try next()
                inline.typeCondition = try name()
            }
            inline.directives = try directives(constant: false)
            inline.selections = try requiredSelections()
            return .inline(inline)
        }

        private mutating func fragment() throws(Trouble) -> FragmentDefinition {
            var fragment = FragmentDefinition()
            fragment.position = try peek().position
            try expectKeyword("fragment")
            fragment.name = try fragmentName()
            fragment.variables = try variableDefinitions()
            try expectKeyword("on")
            fragment.typeCondition = try name()
            fragment.directives = try directives(constant: false)
            fragment.selections = try requiredSelections()
            return fragment
        }

        private mutating func fragmentName() throws(Trouble) -> String {
            if try peek().value == "on" { throw try unexpected() }
            return try name()
        }

        private mutating func arguments(constant: Bool) throws(Trouble) -> [Argument] {
            try list(.parenthesisLeft, .parenthesisRight, atLeastOne: false) { parser throws(Trouble) in
                var argument = Argument()
                argument.position = try parser.peek().position
                argument.name = try parser.name()
                try parser.expect(.colon)
                argument.value = try parser.value(constant: constant)
                return argument
            }
        }

        mutating func directives(constant: Bool) throws(Trouble) -> [Directive] {
            var directives: [Directive] = []
            while try peek().kind == .at {
                var directive = Directive()
                try next()
                directive.position = try peek().position
                directive.name = try name()
                directive.arguments = try arguments(constant: constant)
                directives.append(directive)
            }
            return directives
        }

        mutating func value(constant: Bool) throws(Trouble) -> Value {
            let token = try peek()
            var value = Value()
            value.position = token.position
            switch token.kind {
            case .bracketLeft:
                value.kind = .list
                value.children = try nested { parser throws(Trouble) in
                    try parser.list(.bracketLeft, .bracketRight, atLeastOne: false) { parser throws(Trouble) in
                        Value.Child(value: try parser.value(constant: constant))
                    }
                }
                return value
            case .braceLeft:
                value.kind = .object
                value.children = try nested { parser throws(Trouble) in
                    try parser.list(.braceLeft, .braceRight, atLeastOne: false) { parser throws(Trouble) in
                        let position = try parser.peek().position
                        let name = try parser.name()
                        try parser.expect(.colon)
                        return Value.Child(name: name, value: try parser.value(constant: constant), position: position)
                    }
                }
                return value
            case .dollar:
                if constant { throw unexpected(token) }
                value.raw = try variable()
                return value
            case .int: value.kind = .int
            case .float: value.kind = .float
            case .string: value.kind = .string
            case .block: value.kind = .block
            case .name:
                switch token.value {
                case "true", "false": value.kind = .boolean
                case "null": value.kind = .null
                default: value.kind = .enumeration
                }
            default:
                throw unexpected(token)
            }
            try next()
            value.raw = token.value
            return value
        }

        mutating func typeReference() throws(Trouble) -> TypeReference {
            let position = try peek().position
            var type = TypeReference(name: "")
            type.position = position
            if try skip(.bracketLeft) {
                type.element = [try nested { parser throws(Trouble) in try parser.typeReference() }]
                try expect(.bracketRight)
            } else {
                type.name = try name()
            }
            type.isNonNull = try skip(.bang)
            return type
        }
    }
}
