import Domain
import Testing

@testable import Registry

/// One input of the table: the field that is set, to what JSON text, and which fields must be refused.
struct FieldCase: Sendable, CustomTestStringConvertible {
    let field: String
    let json: String
    let refused: [String]
    var testDescription: String { "\(field): \(json.prefix(60))" }

    init(_ field: String, _ json: String, _ refused: String...) {
        self.field = field
        self.json = json
        self.refused = refused
    }

    static let base: [(String, String)] = [
        ("service_name", "\"teller\""), ("host", "\"10.0.0.1\""), ("port", "8080"), ("health_endpoint", "\"/health\""),
    ]

    /// The registration with this field set; "-" leaves it out.
    func text() -> String {
        var members = Self.base.filter { $0.0 != field }
        if json != "-" { members.append((field, json)) }
        return "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }
}

@Suite("reading a registration")
struct RegistrationReaderTests {
    private static let defaults = RegistrationReader.Defaults(tenant: "default", ttlSeconds: 60)

    private static func quoted(_ count: Int, _ letter: Character = "a") -> String { "\"" + String(repeating: letter, count: count) + "\"" }
    private static func list(_ count: Int) -> String { "[" + (0..<count).map { "\"t\($0)\"" }.joined(separator: ",") + "]" }
    private static func pairs(_ count: Int) -> String { "{" + (0..<count).map { "\"k\($0)\":\"v\"" }.joined(separator: ",") + "}" }

    static let taken: [FieldCase] = [
        .init("service_name", "\"abc\""), .init("service_name", "\"a-_\""), .init("service_name", "\"0ab\""),
        .init("service_name", quoted(64)),
        .init("host", "\"127.0.0.1\""), .init("host", "\"255.255.255.255\""), .init("host", "\"::1\""), .init("host", "\"2001:DB8::10\""),
        .init("host", "\"localhost\""), .init("host", "\"a\""), .init("host", "\"Teller-01.branch.example\""), .init("host", "\"1a\""),
        .init(
            "host",
            "\"" + Array(repeating: String(repeating: "a", count: 63), count: 3).joined(separator: ".") + "."
                + String(repeating: "b", count: 61) + "\""),
        .init("port", "1024"), .init("port", "65535"), .init("port", "8080.0"), .init("port", "8.08e3"),
        .init("health_endpoint", "\"/\""), .init("health_endpoint", "\"/a/b?c=d&e=%20\""),
        .init("health_endpoint", "\"/" + String(repeating: "x", count: 511) + "\""),
        .init("id", "-"), .init("id", "null"), .init("id", "\"A\""), .init("id", "\"a.b_c:d@e~f-g\""), .init("id", quoted(128)),
        .init("version", "\"0.0.0\""), .init("version", "\"1.2.3-rc.1+build.5\""), .init("version", "null"),
        .init("protocol", "\"http\""), .init("protocol", "\"https\""), .init("protocol", "\"grpc\""), .init("protocol", "\"tcp\""),
        .init("weight", "1"), .init("weight", "100"), .init("weight", "null"),
        .init("ttl_seconds", "10"), .init("ttl_seconds", "3600"), .init("ttl_seconds", "null"),
        .init("tags", "[]"), .init("tags", "null"), .init("tags", list(64)), .init("tags", "[\"ä\",\"日本\"]"),
        .init("tags", "[" + quoted(128) + "]"),
        .init("tags", "[\"a\",\"a\"]"),
        .init("capabilities", "[\"payments.read\"]"), .init("capabilities", list(64)), .init("capabilities", "[" + quoted(128) + "]"),
        .init("metadata", "{}"), .init("metadata", "null"), .init("metadata", pairs(64)), .init("metadata", "{\"k\":\"\"}"),
        .init("metadata", "{" + quoted(128) + ":" + quoted(512) + "}"), .init("metadata", "{\"k\":\"line\\nbreak\\u0001\"}"),
        .init("tenant", "\"a\""), .init("tenant", quoted(64)), .init("tenant", "\"t-1_x\""),
    ]

    static let wrong: [FieldCase] = [
        .init("service_name", "-", "service_name"), .init("service_name", "null", "service_name"),
        .init("service_name", "7", "service_name"),
        .init("service_name", "\"\"", "service_name"), .init("service_name", "\"ab\"", "service_name"),
        .init("service_name", quoted(65), "service_name"),
        .init("service_name", "\"-abc\"", "service_name"), .init("service_name", "\"_abc\"", "service_name"),
        .init("service_name", "\"Abc\"", "service_name"), .init("service_name", "\"MyService-123!\"", "service_name"),
        .init("service_name", "\"a b c\"", "service_name"), .init("service_name", "\"äbc\"", "service_name"),
        .init("service_name", "\"abc\\n\"", "service_name"), .init("service_name", "\"a/bc\"", "service_name"),
        .init("service_name", "{}", "service_name"),
        .init("service_name", "\"---\"", "service_name"), .init("service_name", "\"日本語\"", "service_name"),
        .init("service_name", quoted(300, "B"), "service_name"),
        .init("host", "-", "host"), .init("host", "null", "host"), .init("host", "1", "host"), .init("host", "\"\"", "host"),
        .init("host", "\"256.1.1.1\"", "host"), .init("host", "\"1.2.3\"", "host"), .init("host", "\"01.2.3.4\"", "host"),
        .init("host", "\"-a.example\"", "host"), .init("host", "\"a-.example\"", "host"), .init("host", "\"a..b\"", "host"),
        .init("host", "\"a_b\"", "host"), .init("host", "\"example.\"", "host"), .init("host", "\"[::1]\"", "host"),
        .init("host", "\"::1%eth0\"", "host"),
        .init("host", "\"http://a\"", "host"), .init("host", "\"a:80\"", "host"), .init("host", quoted(254), "host"),
        .init("host", quoted(64), "host"),
        .init("host", "\"a b\"", "host"), .init("host", "\"1:2:3:4:5:6:7:8:9\"", "host"), .init("host", "\"exämple\"", "host"),
        .init("port", "-", "port"), .init("port", "null", "port"), .init("port", "\"8080\"", "port"), .init("port", "0", "port"),
        .init("port", "1023", "port"),
        .init("port", "65536", "port"), .init("port", "-1", "port"), .init("port", "8080.5", "port"), .init("port", "1e400", "port"),
        .init("port", "99999999999999999999", "port"), .init("port", "true", "port"), .init("port", "[8080]", "port"),
        .init("health_endpoint", "-", "health_endpoint"), .init("health_endpoint", "null", "health_endpoint"),
        .init("health_endpoint", "\"\"", "health_endpoint"), .init("health_endpoint", "\"health\"", "health_endpoint"),
        .init("health_endpoint", "\"http://x/\"", "health_endpoint"), .init("health_endpoint", "\"/a b\"", "health_endpoint"),
        .init("health_endpoint", "\"/a\\r\\nHost: x\"", "health_endpoint"), .init("health_endpoint", "\"/ä\"", "health_endpoint"),
        .init("health_endpoint", "\"/a#b\"", "health_endpoint"),
        .init("health_endpoint", "\"/" + String(repeating: "x", count: 512) + "\"", "health_endpoint"),
        .init("health_endpoint", "5", "health_endpoint"),
        .init("id", "\"\"", "id"), .init("id", "\"-a\"", "id"), .init("id", "\"a/b\"", "id"), .init("id", "\"a b\"", "id"),
        .init("id", quoted(129), "id"),
        .init("id", "1", "id"), .init("id", "\"a\\u0000b\"", "id"), .init("id", "\"~a\"", "id"),
        .init("version", "\"\"", "version"), .init("version", "\"1\"", "version"), .init("version", "\"1.2\"", "version"),
        .init("version", "\"v1.2.3\"", "version"),
        .init("version", "\"01.2.3\"", "version"), .init("version", "\"1.2.3-\"", "version"), .init("version", "\"1.2.3-01\"", "version"),
        .init("version", "1.2", "version"), .init("version", "\"1.2.3+" + String(repeating: "a", count: 128) + "\"", "version"),
        .init("protocol", "\"HTTP\"", "protocol"), .init("protocol", "\"udp\"", "protocol"), .init("protocol", "\"\"", "protocol"),
        .init("protocol", "1", "protocol"),
        .init("weight", "0", "weight"), .init("weight", "101", "weight"), .init("weight", "\"1\"", "weight"),
        .init("weight", "1.5", "weight"),
        .init("ttl_seconds", "9", "ttl_seconds"), .init("ttl_seconds", "3601", "ttl_seconds"), .init("ttl_seconds", "-60", "ttl_seconds"),
        .init("ttl_seconds", "\"60s\"", "ttl_seconds"),
        .init("tags", "\"a\"", "tags"), .init("tags", "{}", "tags"), .init("tags", list(65), "tags"), .init("tags", "[\"\"]", "tags[0]"),
        .init("tags", "[\"a\",1,\"b\",null]", "tags[1]", "tags[3]"), .init("tags", "[" + quoted(129) + "]", "tags[0]"),
        .init("tags", "[\"a\\u0007\"]", "tags[0]"), .init("tags", "[\"a\\u007f\"]", "tags[0]"),
        .init("capabilities", "1", "capabilities"), .init("capabilities", list(65), "capabilities"),
        .init("capabilities", "[[]]", "capabilities[0]"),
        .init("metadata", "[]", "metadata"), .init("metadata", "\"a\"", "metadata"), .init("metadata", pairs(65), "metadata"),
        .init("metadata", "{\"k\":1}", "metadata.k"), .init("metadata", "{\"k\":null}", "metadata.k"),
        .init("metadata", "{\"\":\"v\"}", "metadata."),
        .init("metadata", "{\"k\":" + quoted(513) + "}", "metadata.k"),
        .init("metadata", "{\"a\":1,\"b\":\"x\",\"c\":{}}", "metadata.a", "metadata.c"),
        .init("tenant", "\"\"", "tenant"), .init("tenant", "\"A\"", "tenant"), .init("tenant", "\"-a\"", "tenant"),
        .init("tenant", quoted(65), "tenant"),
        .init("tenant", "0", "tenant"), .init("hosts", "\"a\"", "hosts"), .init("metdata", "{}", "metdata"), .init("", "1", ""),
        .init("Port", "1", "Port"), .init("service-name", "null", "service-name"),
    ]

    @Test("the tables have what they promise")
    func size() { #expect(Self.taken.count + Self.wrong.count >= 140) }

    private func read(_ text: String) throws -> RegistrationReader.Outcome {
        RegistrationReader.read(try JSONDocument.parse(Array(text.utf8)).root, defaults: Self.defaults)
    }

    @Test("what the rules allow is taken, and comes out of its stored form as it went in", arguments: taken)
    func takes(field: FieldCase) throws {
        guard case .registration(let registration) = try read(field.text()) else {
            Issue.record("refused: \(try read(field.text()))")
            return
        }
        guard case .registration(let again) = try read("{" + String(decoding: registration.members(), as: UTF8.self) + "}") else {
            Issue.record("what was stored is refused")
            return
        }
        #expect(again == registration)
    }

    @Test("what breaks a rule is refused by its field's name, with an example that passes", arguments: wrong)
    func refuses(field: FieldCase) throws {
        guard case .refused(let refusals) = try read(field.text()) else {
            Issue.record("taken")
            return
        }
        #expect(refusals.map(\.field) == field.refused)
        for refusal in refusals {
            #expect(!refusal.message.isEmpty && !refusal.expected.isEmpty && !refusal.example.isEmpty)
            if let provided = refusal.provided {
                _ = try JSONDocument.parse(Array(provided.utf8))
                #expect(provided.utf8.count <= 1_400)
            } else {
                #expect(field.json == "-" || field.json == "null")
            }
            try judgeExample(refusal)
        }
    }

    /// The example, put in the place of what was wrong, must be taken.
    private func judgeExample(_ refusal: FieldRefusal) throws {
        let field = refusal.field
        guard RegistrationReader.fields.contains(String(field.prefix { $0 != "[" && $0 != "." })) else {
            #expect(RegistrationReader.fields.contains(refusal.example), "\(field): \(refusal.example)")
            return
        }
        var json = JSONWriter()
        json.string(refusal.example)
        let text = String(decoding: json.finish(), as: UTF8.self)
        let better: FieldCase
        if let bracket = field.firstIndex(of: "[") {
            better = FieldCase(String(field[..<bracket]), "[\(text)]")
        } else if field.hasPrefix("metadata.") {
            better = refusal.message.contains("key") ? FieldCase("metadata", "{\(text):\"v\"}") : FieldCase("metadata", "{\"k\":\(text)}")
        } else if ["port", "weight", "ttl_seconds", "tags", "capabilities", "metadata"].contains(field) {
            better = FieldCase(field, refusal.example)
        } else {
            better = FieldCase(field, text)
        }
        guard case .registration = try read(better.text()) else {
            Issue.record("the example for \(field) is refused: \(refusal.example)")
            return
        }
    }

    @Test("examples are near to what was given")
    func suggestions() throws {
        let cases: [(String, String, String)] = [
            ("service_name", "MyService-123!", "my-service-123"), ("service_name", "Card Payments", "card-payments"),
            ("service_name", "ab", "my-service"), ("service_name", "ATM", "atm"), ("health_endpoint", "healthz", "/healthz"),
            ("hots", "x", "host"), ("protocl", "x", "protocol"), ("zzzzzzzzzzzz", "x", "metadata"),
        ]
        for (field, given, example) in cases {
            guard case .refused(let refusals) = try read(FieldCase(field, "\"\(given)\"").text()) else {
                Issue.record("\(field) was taken")
                continue
            }
            #expect(refusals.first?.example == example)
        }
    }

    @Test("several faults are told in the specification's order, then the unknown fields")
    func several() throws {
        guard case .refused(let refusals) = try read(#"{"zzz":1,"weight":0,"port":1,"service_name":"A","tags":[1]}"#) else { return }
        #expect(refusals.map(\.field) == ["service_name", "host", "port", "health_endpoint", "tags[0]", "weight", "zzz"])
    }

    @Test("what is no object is refused as a whole", arguments: ["[]", "1", "\"a\"", "null", "true"])
    func noObject(text: String) throws {
        guard case .refused(let refusals) = try read(text) else {
            Issue.record("taken")
            return
        }
        #expect(refusals.count == 1 && refusals[0].field == "" && refusals[0].provided == text)
    }

    @Test("a body full of unknown fields costs little and is answered shortly")
    func flood() throws {
        let text = "{" + (0..<12_000).map { "\"unknown_\($0)\":0" }.joined(separator: ",") + "}"
        let root = try JSONDocument.parse(Array(text.utf8)).root
        let clock = ContinuousClock()
        let began = clock.now
        guard case .refused(let refusals) = RegistrationReader.read(root, defaults: Self.defaults) else { return }
        #expect(refusals.count == Limits.refusalsMax)
        #expect(clock.now - began < .seconds(1))
    }

    @Test("the default id depends on tenant, name, host and port, and on nothing else")
    func defaultID() throws {
        func id(_ tenant: String, _ service: String, _ host: String, _ port: UInt16) -> String {
            RegistrationReader.defaultID(tenant: tenant, service: service, host: host, port: port)
        }
        let one = id("default", "teller", "10.0.0.1", 8_080)
        #expect(one.hasPrefix("teller-") && one.utf8.count == "teller-".utf8.count + 16)
        #expect(one == id("default", "teller", "10.0.0.1", 8_080))
        #expect(
            Set([
                one, id("b", "teller", "10.0.0.1", 8_080), id("default", "teller", "10.0.0.2", 8_080),
                id("default", "teller", "10.0.0.1", 8_081),
            ]).count == 4)
        #expect(NameRules.instanceID.accepts(id("default", String(repeating: "a", count: 64), "10.0.0.1", 8_080)))
    }
}
