/// The pages of an LMDB 0.9 file (mdb.c, "Database Internals"), read without the library, which trusts what it finds.
///
///     page   0 number u64 · 8 pad u16 · 10 flags u16 · 12 lower u16 · 14 upper u16 (pages u32 on an overflow page) · 16 …
///     node   0 low u16 · 2 high u16 · 4 flags u16 · 6 key bytes u16 · 8 key, data
enum PageLayout {
    static let headerSize = 16
    static let nodeHeaderSize = 8
    static let treeSize = 48
    static let noPage = UInt64.max

    static let branch: UInt16 = 1
    static let leaf: UInt16 = 2
    static let overflow: UInt16 = 4
    static let meta: UInt16 = 8
    /// May still stand on a page that was written.
    static let dirty: UInt16 = 0x10

    static let bigData: UInt16 = 1
    static let subtree: UInt16 = 2

    static let magic: UInt32 = 0xBEEF_C0DE
    static let dataVersion: UInt32 = 1
    /// The sizes that a page may have: those of the kernels there are.
    static let pageSizes: [Int] = [4_096, 8_192, 16_384, 32_768, 65_536]
}

/// One page, lent.
struct Page {
    let bytes: UnsafeRawBufferPointer

    var number: UInt64 { UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)) }
    var flags: UInt16 { u16(10) & ~PageLayout.dirty }
    var lower: Int { Int(u16(12)) }
    var upper: Int { Int(u16(14)) }
    var overflowPages: Int { Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))) }
    var nodeCount: Int { (lower - PageLayout.headerSize) / 2 }

    func u16(_ offset: Int) -> UInt16 { UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)) }

    /// Whether the header is that of page `expected`, of one of `kinds`, with bounds that make sense.
    func isSane(number expected: UInt64, kinds: [UInt16]) -> Bool {
        guard number == expected, kinds.contains(flags) else { return false }
        if flags == PageLayout.overflow { return overflowPages >= 1 }
        return lower >= PageLayout.headerSize && lower <= upper && upper <= bytes.count && lower % 2 == 0
    }

    /// The node at `index`, if it lies inside the page. A sane page is assumed.
    func node(_ index: Int) -> Node? {
        let offset = Int(u16(PageLayout.headerSize + 2 * index))
        guard offset >= upper, offset + PageLayout.nodeHeaderSize <= bytes.count else { return nil }
        let keyBytes = Int(u16(offset + 6))
        guard offset + PageLayout.nodeHeaderSize + keyBytes <= bytes.count else { return nil }
        return Node(page: bytes, offset: offset, keyBytes: keyBytes)
    }

    struct Node {
        fileprivate let page: UnsafeRawBufferPointer
        fileprivate let offset: Int
        fileprivate let keyBytes: Int

        private func u16(_ at: Int) -> UInt16 { UInt16(littleEndian: page.loadUnaligned(fromByteOffset: offset + at, as: UInt16.self)) }

        var flags: UInt16 { u16(4) }
        /// Bytes of the data, wherever they lie. On a leaf page only.
        var dataBytes: Int { Int(u16(0)) | Int(u16(2)) << 16 }
        /// On a branch page only.
        var child: UInt64 { UInt64(u16(0)) | UInt64(u16(2)) << 16 | UInt64(u16(4)) << 32 }
        var key: UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: page[(offset + PageLayout.nodeHeaderSize)...].prefix(keyBytes))
        }
        /// The bytes after the key, if so many lie inside the page.
        func inline(_ count: Int) -> UnsafeRawBufferPointer? {
            let start = offset + PageLayout.nodeHeaderSize + keyBytes
            guard start + count <= page.count else { return nil }
            return UnsafeRawBufferPointer(rebasing: page[start..<start + count])
        }
    }
}

/// The root of a tree and its counters: `MDB_db`.
struct TreeRecord {
    let depth: UInt16
    let pages: UInt64
    let entries: UInt64
    let root: UInt64

    var isEmpty: Bool { root == PageLayout.noPage }

    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == PageLayout.treeSize else { return nil }
        func u64(_ offset: Int) -> UInt64 { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
        depth = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
        pages = u64(8) &+ u64(16) &+ u64(24)
        entries = u64(32)
        root = u64(40)
    }
}

/// One of the two pages that begin the file: `MDB_meta`.
struct MetaPage {
    let pageSize: Int
    let free: TreeRecord
    let main: TreeRecord
    let lastPage: UInt64
    let transaction: UInt64

    enum Reading {
        case meta(MetaPage)
        /// LMDB's own format is another.
        case version(UInt32)
        case unreadable
    }

    static let size = PageLayout.headerSize + 136

    /// - Parameter bytes: at least `size`, the beginning of the page.
    static func read(_ bytes: UnsafeRawBufferPointer, number: UInt64) -> Reading {
        let page = Page(bytes: bytes)
        guard bytes.count >= size, page.number == number, page.flags == PageLayout.meta else { return .unreadable }
        let body = UnsafeRawBufferPointer(rebasing: bytes[PageLayout.headerSize..<size])
        guard UInt32(littleEndian: body.loadUnaligned(as: UInt32.self)) == PageLayout.magic else { return .unreadable }
        let version = UInt32(littleEndian: body.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard version == PageLayout.dataVersion else { return .version(version) }
        let pageSize = Int(UInt32(littleEndian: body.loadUnaligned(fromByteOffset: 24, as: UInt32.self)))
        guard PageLayout.pageSizes.contains(pageSize),
            let free = TreeRecord(UnsafeRawBufferPointer(rebasing: body[24..<72])),
            let main = TreeRecord(UnsafeRawBufferPointer(rebasing: body[72..<120]))
        else { return .unreadable }
        return .meta(
            MetaPage(
                pageSize: pageSize, free: free, main: main,
                lastPage: UInt64(littleEndian: body.loadUnaligned(fromByteOffset: 120, as: UInt64.self)),
                transaction: UInt64(littleEndian: body.loadUnaligned(fromByteOffset: 128, as: UInt64.self))))
    }
}
