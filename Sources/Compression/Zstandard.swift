import CZstd

/// Compresses whole bodies as Zstandard frames (RFC 8878) with one context, whose memory is reused. One thread.
package struct ZstandardEncoder: ~Copyable {
    // SAFETY: owned by this value alone, freed once in `deinit`.
    private let context: OpaquePointer
    private let level: Int32

    /// - Parameter level: 1 is for links faster than a processor; 6 for links that cost money.
    package init(level: Int) {
        self.level = Int32(level)
        // It fails only without memory.
        context = ZSTD_createCCtx()!
    }

    deinit { ZSTD_freeCCtx(context) }

    /// The frame, with the length of its content in its head.
    package borrowing func encode(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let bound = ZSTD_compressBound(bytes.count)
        return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            let written = ZSTD_compressCCtx(context, buffer.baseAddress, bound, bytes.baseAddress, bytes.count, level)
            precondition(ZSTD_isError(written) == 0, "zstd: the bound of its own is too small")
            count = written
        }
    }
}

/// Why a body that says it is compressed cannot be read.
package enum ZstandardFault: Error, Equatable, Sendable {
    case malformed
    /// It would become larger than the caller takes: a bomb, or somebody else's limit.
    case tooLarge
}

package enum Zstandard {
    /// Reads frames until the end of `bytes`, at most `bytesMax` in all; memory grows with what comes out, not with what the head promises.
    package static func decode(_ bytes: UnsafeRawBufferPointer, bytesMax: Int) throws(ZstandardFault) -> [UInt8] {
        guard let stream = ZSTD_createDStream() else { throw .malformed }
        defer { ZSTD_freeDStream(stream) }
        ZSTD_initDStream(stream)
        // A window of 8 MiB is the least that every decoder must take (RFC 8878 §3.1.1.1.2); more would be memory for the asking.
        ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, 23)
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        var decoded: [UInt8] = []
        let promised = ZSTD_getFrameContentSize(bytes.baseAddress, bytes.count)
        if promised < UInt64(bytesMax) { decoded.reserveCapacity(Int(promised)) }
        let step = ZSTD_DStreamOutSize()
        var rest = 1
        return try withUnsafeTemporaryAllocation(byteCount: step, alignment: 16) { (buffer) throws(ZstandardFault) -> [UInt8] in
            while input.pos < input.size || rest > 0 {
                var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: step, pos: 0)
                let before = input.pos
                rest = ZSTD_decompressStream(stream, &output, &input)
                guard ZSTD_isError(rest) == 0 else { throw .malformed }
                guard decoded.count + output.pos <= bytesMax else { throw .tooLarge }
                decoded.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<output.pos]))
                // No input was left and nothing came: the frame is cut off.
                if output.pos == 0, input.pos == before, rest > 0 { throw .malformed }
            }
            return decoded
        }
    }
}
