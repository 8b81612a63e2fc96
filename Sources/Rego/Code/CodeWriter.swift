import RegoSyntax

/// Writes instructions and fills in where they jump to.
struct CodeWriter {
    struct Label: Equatable { let id: Int }

    private(set) var words: [UInt64] = []
    private var places: [Int] = []
    private var open: [(word: Int, label: Int)] = []
    /// Where the instructions from a word on come from, for errors.
    private(set) var locations: [(word: Int, file: Int, location: Location)] = []

    init(words: [UInt64] = [], locations: [(word: Int, file: Int, location: Location)] = []) {
        self.words = words
        self.locations = locations
    }

    mutating func label() -> Label {
        places.append(-1)
        return Label(id: places.count - 1)
    }

    mutating func place(_ label: Label) { places[label.id] = words.count }

    mutating func at(_ file: Int, _ location: Location) { locations.append((words.count, file, location)) }

    mutating func emit(_ op: Op, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0) {
        words.append(UInt64(op.rawValue) | UInt64(a) << 16 | UInt64(b) << 32 | UInt64(c) << 48)
    }

    mutating func emit(_ op: Op, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, to label: Label?, _ d: Int = 0) {
        emit(op, a, b, c)
        if let label { open.append((words.count, label.id)) }
        words.append(UInt64(UInt32(d)) << 32)
    }

    /// A word of a table of targets.
    mutating func emitTarget(_ label: Label) {
        open.append((words.count, label.id))
        words.append(0)
    }

    mutating func finish() {
        for (word, label) in open {
            precondition(places[label] >= 0, "a jump to nowhere")
            words[word] |= UInt64(UInt32(places[label]))
        }
        open = []
        places = []
    }
}
