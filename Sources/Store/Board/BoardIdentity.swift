import CPlatform
import Glibc

/// Sixteen bytes that name a store or a boot of the host.
package struct Identifier16: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Nil unless there are exactly sixteen bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    package var bytes: [UInt8] {
        [high, low].flatMap { word in stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) } }
    }

    /// The number of this boot, from the kernel; nil where /proc does not tell.
    package static func currentBoot() -> Identifier16? {
        let file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 64)
        let count = read(file, &text, text.count)
        guard count > 0 else { return nil }
        let digits = text[..<count].compactMap { Character(UnicodeScalar($0)).hexDigitValue }.map(UInt8.init)
        guard digits.count == 32 else { return nil }
        return Identifier16(
            stride(from: 0, to: 32, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }
}

/// Whose deadlines a board or a copy of it holds.
package struct BoardIdentity: Hashable, Sendable {
    /// Nil where the kernel does not say; stored as zeros.
    package let boot: Identifier16?
    package let store: Identifier16

    package init(boot: Identifier16?, store: Identifier16) {
        self.boot = boot
        self.store = store
    }
}

extension BoardRecovery.Boot {
    /// Compares the boot in which something was written with this one.
    package init(written: Identifier16?, now: Identifier16?) {
        guard let written, let now else {
            self = .unknown
            return
        }
        self = written == now ? .same : .other
    }
}
