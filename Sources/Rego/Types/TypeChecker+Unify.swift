/// Making the types of terms equal: what is not known yet becomes known.
extension TypeChecker {
    /// Two terms with what is known of them.
    func unify(_ a: IRTerm, _ typeA: ValueType, _ b: IRTerm, _ typeB: ValueType, _ environment: TypeEnvironment) -> Bool {
        switch (typeA.isUnknown, typeB.isUnknown) {
        case (true, false): return unify(a, typeB, environment, union: false)
        case (false, true): return unify(b, typeA, environment, union: false)
        case (false, false): return ValueType.unifies(typeA, typeB)
        case (true, true): break
        }
        switch (a.opened, b.opened) {
        case (.array(let parts), .array(let others)):
            return parts.count == others.count && zip(parts, others).allSatisfy { unifyBoth($0, $1, environment) }
        case (.object(let items), .object(let others)):
            guard items.count == others.count else { return false }
            for (key, value) in items {
                guard let other = others.first(where: { $0.key.isSame(key) }) else { return false }
                if !unifyBoth(value, other.value, environment) { return false }
            }
            return true
        case (.array, .local), (.object, .local), (.local, .local):
            return unify(a, .any, environment, union: false) && unify(b, type(of: a, environment), environment, union: false)
        case (.local, .array), (.local, .object):
            return unify(b, .any, environment, union: false) && unify(a, type(of: b, environment), environment, union: false)
        default: return false
        }
    }

    private func unifyBoth(_ a: IRTerm, _ b: IRTerm, _ environment: TypeEnvironment) -> Bool {
        unify(a, type(of: a, environment), b, type(of: b, environment), environment)
    }

    /// A term with a type. With `union` a variable may also be what it was before.
    func unify(_ term: IRTerm, _ type: ValueType, _ environment: TypeEnvironment, union: Bool) -> Bool {
        switch term.opened {
        case .local(let id):
            let known = environment.type(of: id)
            if union {
                environment.put(id, .or(known, type))
                return true
            }
            if !known.isUnknownItself { return ValueType.unifies(known, type) }
            environment.put(id, type)
            return true
        case .constant, .ref, .comprehension: return ValueType.unifies(self.type(of: term, environment), type)
        case .array, .object, .set: break
        }
        switch (term.opened, type) {
        case (.array(let parts), .any), (.set(let parts), .any):
            for part in parts { _ = unify(part, .any, environment, union: true) }
            return true
        case (.object(let items), .any):
            for item in items {
                _ = unify(item.key, .any, environment, union: true)
                _ = unify(item.value, .any, environment, union: true)
            }
            return true
        case (_, .oneOf(let types)):
            var fits = false
            for one in types where unify(term, one, environment, union: true) { fits = true }
            return fits
        case (.array(let parts), .array(let first, let rest)):
            if parts.count != first.count, rest == nil { return false }
            return parts.enumerated().allSatisfy { unify($1, type.element($0), environment, union: union) }
        case (.object(let items), .object(let fields, let rest)):
            if items.count != fields.count, rest == nil { return false }
            return items.allSatisfy { item in
                guard case .constant(let key) = item.key else {
                    _ = unify(item.value, .any, environment, union: union)
                    return true
                }
                let child = type.select(TypeKey(key))
                return !child.isUnknownItself && unify(item.value, child, environment, union: union)
            }
        case (.set(let parts), .set(let element)): return parts.allSatisfy { unify($0, element, environment, union: union) }
        default: return false
        }
    }
}

extension IRTerm {
    /// A literal collection as a term of its parts.
    fileprivate var opened: IRTerm {
        guard case .constant(let value) = self else { return self }
        switch value.kind {
        case .array: return .array(value.elements.map { .constant($0) })
        case .set: return .set(value.elements.map { .constant($0) })
        case .object: return .object(value.entries.map { (.constant($0.key), .constant($0.value)) })
        default: return self
        }
    }

    fileprivate func isSame(_ other: IRTerm) -> Bool {
        switch (self, other) {
        case (.constant(let a), .constant(let b)): a == b
        case (.local(let a), .local(let b)): a == b
        default: false
        }
    }
}
