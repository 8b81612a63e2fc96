/// Memory that values point into: taken piece by piece, given back all at once.
///
/// One arena belongs to one evaluation (or one document) and to one thread at a time. `reset()` keeps the chunks, so a warm evaluation allocates nothing.
public final class Arena {
    private var chunks: [UnsafeMutableRawBufferPointer] = []
    /// The chunk that is being filled.
    private var current = -1
    @usableFromInline var next: UInt
    @usableFromInline var end: UInt
    /// The bounds of the first chunk, where most evaluations begin and end.
    private var first: UInt = 0
    private var firstEnd: UInt = 0
    /// Bytes in full chunks before the current one.
    private var bytesBefore = 0
    /// What an evaluation may take; passing it sets `isExhausted`, which the machine looks at between steps.
    private let bytesMax: Int
    private(set) var isExhausted = false

    private static let chunkBytes = 64 << 10
    /// Chunks that `reset()` keeps: what one large evaluation took is not kept for ever.
    private static let chunksKept = 16

    public init() {
        next = 0
        end = 0
        bytesMax = .max
    }

    init(bytesMax: Int) {
        next = 0
        end = 0
        self.bytesMax = bytesMax
    }

    deinit {
        for chunk in chunks { chunk.deallocate() }
        scratch?.deallocate()
    }

    /// Memory that readers use while they read, kept from one to the next.
    private var scratch: UnsafeMutableBufferPointer<Value>?
    /// More than this many values are given back after.
    private static let scratchKept = 4096

    func takeScratch() -> UnsafeMutableBufferPointer<Value> {
        defer { scratch = nil }
        return scratch ?? .allocate(capacity: 64)
    }

    func keepScratch(_ memory: UnsafeMutableBufferPointer<Value>) {
        if scratch != nil || memory.count > Arena.scratchKept { memory.deallocate() } else { scratch = memory }
    }

    /// Bytes taken.
    public var bytesUsed: Int { bytesBefore + (current < 0 ? 0 : Int(next) - Int(bitPattern: chunks[current].baseAddress!)) }

    /// Forgets everything that was taken; values of before are dangling.
    public func reset() {
        if current > 0 { shrink() }
        next = first
        end = firstEnd
        isExhausted = false
    }

    @inline(never) private func shrink() {
        while chunks.count > Arena.chunksKept { chunks.removeLast().deallocate() }
        bytesBefore = 0
        current = 0
    }

    /// Uninitialised memory, aligned to 16 bytes.
    @inline(__always) func take(_ bytes: Int) -> UnsafeMutableRawPointer {
        let size = UInt(bytes &+ 15) & ~15
        if end &- next >= size {
            let start = next
            next &+= size
            return UnsafeMutableRawPointer(bitPattern: start).unsafelyUnwrapped
        }
        return takeFromNewChunk(size)
    }

    @inline(never) private func takeFromNewChunk(_ size: UInt) -> UnsafeMutableRawPointer {
        if current >= 0 { bytesBefore += Int(next) - Int(bitPattern: chunks[current].baseAddress!) }
        current += 1
        if current == chunks.count || chunks[current].count < Int(size) {
            // Chunks double, so that a large document is few of them.
            let grown = Arena.chunkBytes << min(chunks.count / 2, 7)
            chunks.insert(.allocate(byteCount: max(grown, Int(size)), alignment: 16), at: current)
        }
        // A chunk is used as far as the limit allows; what is asked for is given all the same, and the machine ends the evaluation.
        let left = bytesMax - bytesBefore
        if left < Int(size) { isExhausted = true }
        let start = UInt(bitPattern: chunks[current].baseAddress!)
        next = start + size
        end = start + UInt(min(chunks[current].count, max(left, Int(size))))
        if current == 0 { (first, firstEnd) = (start, end) }
        return UnsafeMutableRawPointer(bitPattern: start).unsafelyUnwrapped
    }
}
