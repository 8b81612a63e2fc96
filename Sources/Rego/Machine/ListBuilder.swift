/// The lists that comprehensions and partial rules fill. They lie on one stack: the last one begun is the first one ended.
struct ListBuilder: ~Copyable {
    private var values = ValueStack(.allocate(capacity: 64))
    /// Where the last list begins; in front of it lies where the one before begins.
    private var mark = 0

    deinit { values.memory.deallocate() }

    @inline(__always) mutating func begin() {
        values.push(Value(mark))
        mark = values.count
    }
    @inline(__always) mutating func append(_ value: Value) { values.push(value) }
    @inline(__always) mutating func reset() {
        values.drop(to: 0)
        mark = 0
    }

    /// Forgets the last list.
    @inline(__always) private mutating func drop() {
        let start = mark
        mark = Int(truncatingIfNeeded: values.at(start &- 1).bits)
        values.drop(to: start &- 1)
    }

    /// The values of the last list, which is ended.
    private mutating func end<R>(_ body: (UnsafeMutableBufferPointer<Value>) -> R) -> R {
        let made = body(values.since(mark))
        drop()
        return made
    }

    @inline(__always) mutating func endArray(_ arena: Arena) -> Value {
        let made = arena.array(values.since(mark))
        drop()
        return made
    }
    mutating func endSet(_ arena: Arena) -> Value { end { arena.set(Array($0)) } }

    /// Nil when a key has two values.
    mutating func endObject(_ arena: Arena) -> Value? {
        end { pairs in
            var isConsistent = true
            var entries: [(key: Value, value: Value)] = []
            entries.reserveCapacity(pairs.count / 2)
            for index in stride(from: 0, to: pairs.count, by: 2) { entries.append((pairs[index], pairs[index + 1])) }
            let made = arena.object(entries) { first, second in
                if first != second { isConsistent = false }
                return first
            }
            return isConsistent ? made : nil
        }
    }

    /// Objects within objects, from paths, values and whether a value is an element of a set. Nil when a path has two values.
    mutating func endNested(_ arena: Arena) -> Value? {
        end { triples in
            var entries: [NestedEntry] = []
            for index in stride(from: 0, to: triples.count, by: 3) {
                entries.append(
                    NestedEntry(path: triples[index].elements[...], value: triples[index + 1], isElement: triples[index + 2].isTrue))
            }
            return ListBuilder.nested(entries, arena)
        }
    }

    private struct NestedEntry {
        var path: ArraySlice<Value>
        var value: Value
        var isElement: Bool
    }

    private static func nested(_ entries: [NestedEntry], _ arena: Arena) -> Value? {
        if let last = entries.first(where: { $0.path.isEmpty }) {
            if last.isElement {
                guard entries.allSatisfy({ $0.path.isEmpty && $0.isElement }) else { return nil }
                return arena.set(entries.map(\.value))
            }
            return entries.allSatisfy { $0.path.isEmpty && !$0.isElement && $0.value == last.value } ? last.value : nil
        }
        var order: [Value] = []
        var groups: [Value: [NestedEntry]] = [:]
        for var entry in entries {
            let key = entry.path.removeFirst()
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(entry)
        }
        var made: [(key: Value, value: Value)] = []
        for key in order {
            guard let value = nested(groups[key] ?? [], arena) else { return nil }
            made.append((key, value))
        }
        return arena.object(made)
    }
}
