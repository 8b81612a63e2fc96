/// Finds the `# METADATA` blocks among the comments of a module, and what each stands before.
enum AnnotationBlocks {
    static func find(in comments: [Comment], package: Package, imports: [Import], rules: [Rule]) -> [Annotation] {
        var blocks: [Annotation] = []
        var isOpen = false
        for (index, comment) in comments.enumerated() {
            if isOpen {
                if comment.location.row == comments[index - 1].location.row + 1, comment.location.column == 1 {
                    blocks[blocks.count - 1].yaml += (comment.text.hasPrefix(" ") ? comment.text.dropFirst() : comment.text[...]) + "\n"
                    blocks[blocks.count - 1].comments = blocks[blocks.count - 1].comments.lowerBound..<index + 1
                    blocks[blocks.count - 1].endRow = comment.location.row
                    continue
                }
                isOpen = false
            }
            if comment.isMetadata {
                isOpen = true
                blocks.append(
                    Annotation(
                        yaml: "", comments: index..<index + 1, target: .nothing, location: comment.location, endRow: comment.location.row))
            }
        }
        guard !blocks.isEmpty else { return [] }
        // Both in the order of the text: one pass finds the statement after each block.
        var statements: [(row: UInt32, target: Annotation.Target)] = [(package.location.row, .package)]
        statements += imports.enumerated().map { ($1.location.row, .import($0)) }
        statements += rules.enumerated().map { ($1.location.row, .rule($0)) }
        statements.sort { $0.row < $1.row }
        var next = 0
        for index in blocks.indices {
            while next < statements.count, statements[next].row <= blocks[index].location.row { next += 1 }
            if next < statements.count { blocks[index].target = statements[next].target }
        }
        return blocks
    }
}

extension Comment {
    /// It opens a block of annotations.
    public var isMetadata: Bool {
        var bytes = text.utf8[...]
        while let first = bytes.first, first == 0x20 || (first >= 0x09 && first <= 0x0D) { bytes.removeFirst() }
        return bytes.starts(with: "METADATA".utf8)
    }
}
