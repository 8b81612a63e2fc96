import CPlatform
import Domain
import Glibc

/// The walk over all pages of a damaged file: finds every whole record, whatever has become of the trees.
struct SalvageScan {
    let file: PageFile
    private let live: LivePages
    // SAFETY: a private mapping of a file that has no name any more; it lasts until the child process ends.
    private var entries: UnsafeMutableBufferPointer<SalvageEntry>
    private var count = 0
    private(set) var report = SalvageReport()
    /// By table id: the highest mark that a record of the stream carries.
    private(set) var trimMarks = [UInt64](repeating: 0, count: 256)
    private(set) var epochMax: UInt32 = 0
    private(set) var names: [UInt8: String] = [:]

    /// - Parameters:
    ///   - indexPath: where the index may lie while this runs; it has no name after this returns.
    ///   - names: of the tables, by id, as far as the configuration knows them.
    init(_ path: String, indexPath: String, names: [UInt8: String]) throws(StoreError) {
        file = try PageFile.open(path)
        live = LivePages(of: file)
        entries = try Self.mapIndex(indexPath, fileBytes: file.bytes.count)
        report.pages = UInt64(file.pageCount)
        self.names = names
        for table in live.tables { adopt(table.name, table.tree) }
    }

    /// A file, so that the kernel can take its pages back when memory is short; sparse, so that it costs what is used.
    private static func mapIndex(_ path: String, fileBytes: Int) throws(StoreError) -> UnsafeMutableBufferPointer<SalvageEntry> {
        let file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw StoreError(.system, "make the index of the salvage", number: errno) }
        defer { close(file) }
        unlink(path)
        // The smallest record takes a slot, a node header, a key of one byte and a header; a removal is indexed twice.
        let most = 2 * (fileBytes / (2 + PageLayout.nodeHeaderSize + 1 + RecordHeader.size) + 1)
        let bytes = most * MemoryLayout<SalvageEntry>.stride
        guard ftruncate(file, off_t(bytes)) == 0, let base = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0),
            base != MAP_FAILED
        else { throw StoreError(.system, "map the index of the salvage", number: errno) }
        return UnsafeMutableBufferPointer(start: base.bindMemory(to: SalvageEntry.self, capacity: most), count: most)
    }

    /// Takes the name of a table from the list of tables, if its first record can be read and nobody has named it otherwise.
    private mutating func adopt(_ name: String, _ tree: TreeRecord) {
        var (number, level) = (tree.root, 0)
        while level < 32, number >= 2, number < UInt64(file.pageCount) {
            let page = file.page(Int(number))
            guard page.isSane(number: number, kinds: [PageLayout.leaf, PageLayout.branch]), page.nodeCount > 0, let node = page.node(0)
            else { return }
            if page.flags == PageLayout.leaf {
                guard let id = node.key.first, names[id] == nil, !names.values.contains(name) else { return }
                guard (id >= 128) == name.hasPrefix(Table.streamNamePrefix) else { return }
                names[id] = name
                return
            }
            (number, level) = (node.child, level + 1)
        }
    }

    // MARK: Walking

    /// Looks at every page once.
    mutating func walk() {
        for number in 2..<max(2, file.pageCount) {
            let page = file.page(number)
            guard page.isSane(number: UInt64(number), kinds: [PageLayout.leaf]) else { continue }
            report.leafPages += 1
            let isLive = live.contains(number)
            for index in 0..<page.nodeCount { take(page.node(index), page: number, index: index, isLive: isLive) }
        }
    }

    private mutating func take(_ node: Page.Node?, page: Int, index: Int, isLive: Bool) {
        guard let node, node.flags != PageLayout.subtree else { return }
        guard let (key, value) = file.record(node), let record = RecordHeader.read(key: key, value: value) else {
            // Freed pages hold references to pages that were used again, and the list of free pages holds no records of ours.
            if isLive || file.meta == nil { report.damaged += 1 }
            return
        }
        report.found += 1
        epochMax = max(epochMax, record.header.epoch)
        // Only a record in one piece begins with its prefix; its neighbours carry the same mark.
        let isWhole = record.header.flags.isDisjoint(with: [.pieces, JournalMarks.continuation])
        if key[0] >= 128, isWhole, record.header.flags.contains(.journal), let mark = JournalMarks.trimmedThrough(record.payload) {
            trimMarks[Int(key[0])] = max(trimMarks[Int(key[0])], mark)
        }
        append(SalvageEntry(key: key, isRemoval: false, isLive: isLive, page: page, node: index))
        if isWhole, record.header.flags.contains(.removal), let removed = JournalMarks.removedKey(record.payload) {
            append(SalvageEntry(key: removed, isRemoval: true, isLive: isLive, page: page, node: index))
        }
    }

    private mutating func append(_ entry: SalvageEntry) {
        // A crafted page may list one node a thousand times; what is beyond the estimate is such a page.
        guard count < entries.count else { return }
        entries[count] = entry
        count += 1
    }

    // MARK: Deciding

    private func keyAndRevision(_ entry: SalvageEntry) -> (key: UnsafeRawBufferPointer, revision: UInt64, value: UnsafeRawBufferPointer) {
        guard let node = file.page(entry.page).node(entry.node), let (key, value) = file.record(node) else {
            preconditionFailure("a record that was read once cannot be read again")
        }
        let revision = UInt64(littleEndian: value.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        guard entry.isRemoval else { return (key, revision, value) }
        return (JournalMarks.removedKey(UnsafeRawBufferPointer(rebasing: value[RecordHeader.size...]))!, revision, value)
    }

    /// By table, key, then the version to be kept first: the highest revision, removals before rows, live before freed.
    private func isBefore(_ a: SalvageEntry, _ b: SalvageEntry) -> Bool {
        if a.table != b.table { return a.table < b.table }
        if a.prefix != b.prefix { return a.prefix < b.prefix }
        let (left, right) = (keyAndRevision(a), keyAndRevision(b))
        let order = compare(left.key, right.key)
        if order != 0 { return order < 0 }
        if left.revision != right.revision { return left.revision > right.revision }
        if a.isRemoval != b.isRemoval { return a.isRemoval }
        if a.isLive != b.isLive { return a.isLive }
        return a.page < b.page
    }

    /// LMDB's order.
    private func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
        let order = memcmp(a.baseAddress!, b.baseAddress!, min(a.count, b.count))
        return order != 0 ? Int(order) : a.count - b.count
    }

    /// Calls `keep` with every record of the new environment, in the order of its tables and keys.
    mutating func deliver(
        _ keep: (_ table: String, _ id: UInt8, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) {
        let found = UnsafeMutableBufferPointer(rebasing: entries[..<count])
        found.sortInPlace(by: isBefore)
        var previous: (key: UnsafeRawBufferPointer, isRemoval: Bool)?
        var whole: (table: UInt8, sequence: UInt64)?
        for (index, entry) in found.enumerated() {
            let (key, _, value) = keyAndRevision(entry)
            if let previous, compare(previous.key, key) == 0 {
                // Something newer of this key came first: the version that was kept, or the removal.
                if entry.isRemoval { continue }
                if previous.isRemoval { report.removed += 1 } else { report.superseded += 1 }
                continue
            }
            previous = (key, entry.isRemoval)
            if entry.isRemoval { continue }
            if entry.table >= 128, let sequence = JournalMarks.sequence(key), sequence <= trimMarks[Int(entry.table)] {
                report.trimmed += 1
                continue
            }
            let flags = RecordHeader.Flags(rawValue: UInt16(littleEndian: value.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            if flags.contains(.pieces), hasAllPieces(found[index...], head: value) { whole = (entry.table, entry.prefix) }
            if !flags.isDisjoint(with: [.pieces, JournalMarks.continuation]), whole ?? (0, 0) != (entry.table, entry.prefix) {
                report.incomplete += 1
                continue
            }
            guard let name = names[entry.table] else {
                report.unnamed += 1
                continue
            }
            try keep(name, entry.table, key, value)
            report.kept += 1
            report.keptByTable[entry.table, default: 0] += 1
        }
    }

    /// Whether every later piece of the record in `entries.first` was found. Half a record would only stop whoever reads the stream.
    private func hasAllPieces(_ entries: Slice<UnsafeMutableBufferPointer<SalvageEntry>>, head: UnsafeRawBufferPointer) -> Bool {
        guard let first = entries.first, head.count >= RecordHeader.size + 2 else { return false }
        let count = Int(UInt16(littleEndian: head.loadUnaligned(fromByteOffset: RecordHeader.size, as: UInt16.self)))
        var parts = 1
        for entry in entries.dropFirst() {
            guard parts < count, entry.table == first.table, entry.prefix == first.prefix else { break }
            if JournalMarks.part(keyAndRevision(entry).key) == parts { parts += 1 }
        }
        return parts == count
    }
}
