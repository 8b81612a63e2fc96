import CPlatform
import Glibc

/// A damaged environment's file, mapped read-only. Only in a child process: a page that the disk will not give ends it.
struct PageFile {
    // SAFETY: the mapping lasts until the child process ends; it is never written to and never undone.
    let bytes: UnsafeRawBufferPointer
    let pageSize: Int
    let pageCount: Int
    /// The newer of the meta pages that can be read.
    let meta: MetaPage?

    static func open(_ path: String) throws(StoreError) -> PageFile {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw StoreError(.system, "open \(path)", number: errno) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw StoreError(.system, "look at \(path)", number: errno) }
        let size = Int(status.st_size)
        guard size > 0 else {
            return PageFile(bytes: UnsafeRawBufferPointer(start: nil, count: 0), pageSize: 4_096, pageCount: 0, meta: nil)
        }
        guard let base = mmap(nil, size, PROT_READ, MAP_SHARED, file, 0), base != MAP_FAILED else {
            throw StoreError(.system, "map \(path)", number: errno)
        }
        madvise(base, size, MADV_SEQUENTIAL)
        let bytes = UnsafeRawBufferPointer(start: base, count: size)
        let metas = findMetas(bytes)
        let newest = metas.max { $0.transaction < $1.transaction }
        let pageSize = newest?.pageSize ?? guessPageSize(bytes)
        return PageFile(bytes: bytes, pageSize: pageSize, pageCount: size / pageSize, meta: newest)
    }

    private static func findMetas(_ bytes: UnsafeRawBufferPointer) -> [MetaPage] {
        var metas: [MetaPage] = []
        if bytes.count >= MetaPage.size, case .meta(let meta) = MetaPage.read(bytes, number: 0) { metas.append(meta) }
        for pageSize in PageLayout.pageSizes where bytes.count >= pageSize + MetaPage.size {
            let second = UnsafeRawBufferPointer(rebasing: bytes[pageSize...])
            if case .meta(let meta) = MetaPage.read(second, number: 1), meta.pageSize == pageSize { metas.append(meta) }
        }
        return metas
    }

    /// Without meta pages: the size at which the first pages know their own numbers best.
    private static func guessPageSize(_ bytes: UnsafeRawBufferPointer) -> Int {
        func score(_ pageSize: Int) -> Int {
            (2..<64).count {
                $0 * pageSize + 16 <= bytes.count
                    && bytes.loadUnaligned(fromByteOffset: $0 * pageSize, as: UInt64.self) == UInt64($0).littleEndian
            }
        }
        return PageLayout.pageSizes.max { score($0) < score($1) || (score($0) == score($1) && $0 > $1) }!
    }

    func page(_ number: Int) -> Page {
        Page(bytes: UnsafeRawBufferPointer(rebasing: bytes[number * pageSize..<(number + 1) * pageSize]))
    }

    /// Key and value of a node of a leaf page, if both lie where they should and the node is no root of a tree.
    func record(_ node: Page.Node) -> (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
        let key = node.key
        guard !key.isEmpty, key.count <= 511 else { return nil }
        if node.flags == 0 { return node.inline(node.dataBytes).map { (key, $0) } }
        guard node.flags == PageLayout.bigData, let reference = node.inline(8) else { return nil }
        let number = UInt64(littleEndian: reference.loadUnaligned(as: UInt64.self))
        let length = node.dataBytes
        let spanned = (PageLayout.headerSize + length + pageSize - 1) / pageSize
        guard number >= 2, number < UInt64(pageCount), Int(number) + spanned <= pageCount,
            page(Int(number)).isSane(number: number, kinds: [PageLayout.overflow]), page(Int(number)).overflowPages >= spanned
        else { return nil }
        let start = Int(number) * pageSize + PageLayout.headerSize
        return (key, UnsafeRawBufferPointer(rebasing: bytes[start..<start + length]))
    }
}
