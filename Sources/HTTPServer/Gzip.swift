import CZlib
import Glibc

/// Compresses whole bodies with one deflate state, which costs a quarter of a megabyte and is made at the first use.
struct Gzip: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>
    private var isReady = false

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
    }

    deinit {
        if isReady { deflateEnd(stream) }
        stream.deallocate()
    }

    /// The body in gzip format in memory of malloc(3), for the taker to free; nil if that would not be shorter.
    mutating func compress(_ body: UnsafeRawBufferPointer) -> UnsafeMutableRawBufferPointer? {
        guard body.count <= Int(UInt32.max) else { return nil }
        if isReady {
            guard deflateReset(stream) == Z_OK else { return nil }
        } else {
            // Level 1: on a LAN the processor is the bottleneck, not the line.
            guard posto_deflate_init_gzip(stream, 1) == Z_OK else { return nil }
            isReady = true
        }
        guard let memory = malloc(body.count) else { return nil }
        stream.pointee.next_in = UnsafeMutablePointer(mutating: body.baseAddress!.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(body.count)
        stream.pointee.next_out = memory.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(body.count)
        guard deflate(stream, Z_FINISH) == Z_STREAM_END else {
            free(memory)
            return nil
        }
        return UnsafeMutableRawBufferPointer(start: memory, count: body.count - Int(stream.pointee.avail_out))
    }

    /// Whether `Accept-Encoding` names gzip, or all, with a weight above zero (RFC 9110 §12.5.3).
    static func isAccepted(_ header: Bytes) -> Bool {
        var gzip: Bool?
        var all = false
        header.split(0x2c) { element in
            var name = element
            var isZero = false
            var isFirst = true
            element.split(0x3b) { part in
                if isFirst { name = part } else if part.hasPrefixIgnoringCase("q=") { isZero = Self.isZero(Bytes(rebasing: part[2...])) }
                isFirst = false
            }
            if name.equalsIgnoringCase("gzip") || name.equalsIgnoringCase("x-gzip") { gzip = !isZero }
            if name.equals("*") { all = !isZero }
        }
        return gzip ?? all
    }

    private static func isZero(_ weight: Bytes) -> Bool {
        weight.allSatisfy { $0 == 0x30 || $0 == 0x2e }
    }
}
