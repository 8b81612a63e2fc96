import CPlatform

/// Which leaf pages the newest transaction still reaches, as far as the branch pages can be read: one bit a page.
///
/// Salvage does not depend on it. It decides between two versions of a record that carry the same revision: one of them lies on a page
/// that was freed, or that a transaction wrote which was never committed.
struct LivePages {
    private var bits: [UInt64]
    /// Name and root of each table that was reached.
    private(set) var tables: [(name: String, tree: TreeRecord)] = []

    init(of file: borrowing PageFile) {
        bits = [UInt64](repeating: 0, count: (file.pageCount + 63) / 64)
        guard let meta = file.meta else { return }
        mark(meta.main, in: file) { node, live in
            guard node.flags == PageLayout.subtree, let data = node.inline(PageLayout.treeSize), let tree = TreeRecord(data) else { return }
            live.tables.append((String(decoding: node.key, as: UTF8.self), tree))
        }
        for table in tables { mark(table.tree, in: file) { _, _ in } }
    }

    func contains(_ page: Int) -> Bool { bits[page / 64] >> UInt64(page % 64) & 1 == 1 }

    /// - Returns: whether the page was not marked before; a loop ends there.
    private mutating func insert(_ page: Int) -> Bool {
        guard !contains(page) else { return false }
        bits[page / 64] |= 1 << UInt64(page % 64)
        return true
    }

    private mutating func mark(_ tree: TreeRecord, in file: borrowing PageFile, _ body: (Page.Node, inout LivePages) -> Void) {
        guard !tree.isEmpty, tree.depth >= 1, tree.depth <= 32 else { return }
        let isMain = file.meta?.main.root == tree.root
        var stack: [(page: UInt64, level: UInt16)] = [(tree.root, tree.depth)]
        while let (number, level) = stack.popLast() {
            guard number >= 2, number < UInt64(file.pageCount), insert(Int(number)) else { continue }
            // The level tells a leaf, so that only branch pages are read here.
            if level == 1, !isMain { continue }
            let page = file.page(Int(number))
            guard page.isSane(number: number, kinds: [level == 1 ? PageLayout.leaf : PageLayout.branch]) else { continue }
            for index in 0..<page.nodeCount {
                guard let node = page.node(index) else { continue }
                if level == 1 { body(node, &self) } else { stack.append((node.child, level - 1)) }
            }
        }
    }
}
