import Testing

@testable import Rego

@Suite("values")
struct ValueTests {
    private let arena = Arena()

    private func read(_ text: String) throws -> Value { try JSONReader.read(Array(text.utf8), into: arena) }

    @Test(
        "what is read is written again",
        arguments: [
            "null", "true", "-12", "9223372036854775808", "1.50", "1e400", "\"a\\\"b\\n\"", "[1,[2],[]]", "{\"a\":1,\"b\":{\"c\":[]}}",
            "\"\u{e9}\u{1F600}\"",
        ])
    func roundTrip(text: String) throws {
        #expect(JSONWriter.text(try read(text)) == text)
    }

    @Test("what is no JSON is refused", arguments: ["", "{", "[1,]", "01", "1.", "\"\u{1}\"", "nul", "{\"a\" 1}", "1 2", "\"\\x\""])
    func refused(text: String) { #expect(throws: JSONError.self) { try read(text) } }

    @Test("the last of equal keys stays, and keys are in order")
    func objects() throws {
        #expect(JSONWriter.text(try read("{\"b\":1,\"a\":2,\"b\":3}")) == "{\"a\":2,\"b\":3}")
        let many = (0..<100).reversed().map { "\"k\($0)\":\($0)" }.joined(separator: ",")
        let object = try read("{" + many + ",\"k7\":\"last\"}")
        #expect(object.count == 100)
        #expect(object["k42"].asInt64 == 42)
        #expect(object[arena.string("k7")].asString == "last")
        #expect(object[arena.string("k100")].isUndefined)
    }

    @Test("numbers compare as numbers, whatever their text")
    func numbers() throws {
        for (left, right, order) in [
            ("1", "1.0", 0), ("10", "1e1", 0), ("0.1", "1e-1", 0), ("-0", "0", 0), ("9223372036854775807", "9223372036854775808", -1),
            ("1.5", "2", -1), ("-1.5", "-2", 1), ("100000000000000000000", "1e20", 0), ("0.01", "0.1", -1), ("1e400", "1e399", 1),
            ("12.5", "12.50", 0),
        ] {
            let (a, b) = (try read(left), try read(right))
            #expect(Value.compare(a, b).signum() == order, "\(left) and \(right)")
            #expect(Value.compare(b, a).signum() == -order)
            #expect((a == b) == (order == 0))
            if order == 0 { #expect(a.hash == b.hash, "\(left) and \(right)") }
        }
        #expect(try read("1e3").asInt64 == 1000)
        #expect(try read("1.5").asInt64 == nil)
    }

    @Test("sets are sorted in Rego's order and hold each member once")
    func sets() throws {
        let members = try ["[1]", "\"a\"", "{}", "2", "null", "true", "2.0", "\"a\"", "false"].map { try read($0) }
        let set = arena.set(members)
        #expect(JSONWriter.text(set) == "[null,false,true,2,\"a\",[1],{}]")
        #expect(set.contains(try read("2.00")))
        #expect(!set.contains(try read("3")))
    }

    @Test("a pool knows each string once")
    func pool() throws {
        let pool = StringPool()
        let known = (0..<1000).map { pool.intern("string \($0)") }
        #expect(pool.count == 1000)
        let read = try JSONReader.read(Array("[\"string 7\",\"string 1000\"]".utf8), into: arena, pool: pool)
        #expect(read[0].bits == known[7].bits)
        #expect(read[1].tag == Value.Tag.string)
        #expect(read[0] == arena.string("string 7"))
    }

    @Test("an arena that was reset gives the same memory again")
    func arenaReset() {
        for bytes in [10, 100_000, 3_000_000] { _ = arena.take(bytes) }
        let used = arena.bytesUsed
        #expect(used >= 3_100_000)
        arena.reset()
        #expect(arena.bytesUsed == 0)
        for bytes in [10, 100_000, 3_000_000] { _ = arena.take(bytes) }
        #expect(arena.bytesUsed == used)
    }
}
