import Store
import Testing

@testable import Store

@Suite("A stored record")
struct RecordTests {
    static func record(key: [UInt8] = [90, 1, 2], payload: [UInt8] = [5, 6, 7, 8]) -> [UInt8] {
        var value = [UInt8](repeating: 0, count: RecordHeader.size + payload.count)
        let header = RecordHeader(flags: .journal, length: UInt32(payload.count), epoch: 3, revision: 77)
        key.withUnsafeBytes { key in
            payload.withUnsafeBytes { payload in
                value.withUnsafeMutableBytes { header.write(key: key, payload: payload, to: $0) }
            }
        }
        return value
    }

    static func reads(key: [UInt8] = [90, 1, 2], _ value: [UInt8]) -> Bool {
        key.withUnsafeBytes { key in value.withUnsafeBytes { RecordHeader.read(key: key, value: $0) != nil } }
    }

    @Test("reads back under its own key only")
    func ownKey() {
        #expect(Self.reads(Self.record()))
        #expect(!Self.reads(key: [90, 1, 3], Self.record()))
    }

    @Test("any flipped bit is noticed, in header and payload")
    func flips() {
        let good = Self.record()
        for at in good.indices {
            for bit in 0..<8 {
                var bad = good
                bad[at] ^= 1 << bit
                #expect(!Self.reads(bad), "byte \(at) bit \(bit)")
            }
        }
    }

    @Test("a record of a later version is not read, even with the right check sum")
    func laterVersion() {
        var header = RecordHeader(length: 1, epoch: 0, revision: 0)
        header.version = RecordHeader.currentVersion + 1
        var value = [UInt8](repeating: 0, count: RecordHeader.size + 1)
        let key: [UInt8] = [90]
        key.withUnsafeBytes { key in value.withUnsafeMutableBytes { header.seal(key: key, over: $0) } }
        #expect(!Self.reads(key: key, value))
    }

    @Test("sealing in place gives the bytes that writing gives")
    func seal() {
        let key: [UInt8] = [90, 1, 2]
        var sealed = [UInt8](repeating: 0xEE, count: RecordHeader.size) + [5, 6, 7, 8]
        key.withUnsafeBytes { key in
            sealed.withUnsafeMutableBytes { RecordHeader(flags: .journal, length: 4, epoch: 3, revision: 77).seal(key: key, over: $0) }
        }
        #expect(sealed == Self.record())
    }

    @Test("a record cut short, or with bytes after its end, is not read")
    func lengths() {
        #expect(!Self.reads(Self.record().dropLast()))
        #expect(!Self.reads(Self.record() + [0]))
        #expect(!Self.reads([]))
    }
}

extension RecordTests {
    static func reads(_ value: ArraySlice<UInt8>) -> Bool { reads(Array(value)) }
}
