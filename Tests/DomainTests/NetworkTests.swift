import Domain
import Testing

@Suite("Addresses and networks")
struct NetworkTests {
    @Test(
        "an address is read and written as people write it",
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"), ("::1", "::1"),
            ("2001:DB8::1", "2001:db8::1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1::", "1::"), ("fe80:0:0:0:0:0:0:1", "fe80::1"),
            ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"), ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::ffff:a00:1", "10.0.0.1"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"), ("0:0:1::", "0:0:1::"),
        ])
    func reads(text: String, canonical: String) {
        #expect(IPAddress(text)?.description == canonical)
    }

    @Test(
        "what is no address is refused",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.-4", "1.2.3.4 ", "1..2.3", ":", ":::", "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1::2::3", "12345::", "g::", "::1%eth0", "[::1]", "1:2:3:4:5:6:7::8", "1.2.3.4::", "::1.2.3.4.5", ":1", "1:", "::1:",
            "1:2:3:4:5:6:7:1.2.3.4",
        ])
    func refuses(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("a network contains its own addresses and no others")
    func contains() throws {
        let ten = try #require(Network("10.0.0.0/8"))
        #expect(ten.contains(IPAddress("10.255.1.2")!))
        #expect(ten.contains(IPAddress("::ffff:10.1.1.1")!))
        #expect(!ten.contains(IPAddress("11.0.0.0")!))
        #expect(!ten.contains(IPAddress("::a00:1")!))
        #expect(Network("0.0.0.0/0")!.contains(IPAddress("8.8.8.8")!))
        #expect(Network("::/0")!.contains(IPAddress("2001:db8::1")!))
        #expect(!Network("::/0")!.contains(IPAddress("8.8.8.8")!))
        #expect(Network("::1/128")!.contains(IPAddress("::1")!))
        #expect(Network("192.168.1.7")?.description == "192.168.1.7/32")
        #expect(Network("2001:db8::/32")!.contains(IPAddress("2001:db8:ffff::")!))
        for wrong in ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08", "/8", "::/129", "10.0.0.0/8/8", "ten/8"] {
            #expect(Network(wrong) == nil, "\(wrong)")
        }
    }

    @Test("a host is an address or an RFC 1123 name")
    func hosts() {
        for right in ["localhost", "price-engine.branch.example", "3com.example", "a", "10.1.2.3", "::1", "A-1", "x.1a"] {
            #expect(HostName(right) != nil, "\(right)")
        }
        let label = String(repeating: "a", count: 64)
        for wrong in ["", "-a", "a-", "a..b", ".a", "a.", "a_b", "a b", "ü", "256.1.1.1", "1.2.3", "1", label, "[::1]", "a/b", "a:80"] {
            #expect(HostName(wrong) == nil, "\(wrong)")
        }
        #expect(HostName(String(repeating: "a.", count: 126) + "b") != nil)
        #expect(HostName(String(repeating: "a.", count: 127) + "b") == nil)
    }

    @Test("a listen address has a port, and IPv6 has brackets")
    func socketAddresses() {
        #expect(SocketAddress("127.0.0.1:8500")?.port == 8500)
        #expect(SocketAddress("[::1]:0")?.description == "[::1]:0")
        #expect(SocketAddress("[::1]:8500")?.address.isLoopback == true)
        for wrong in [
            "8500", ":8500", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:8500", "[127.0.0.1]:80", "localhost:80", "[::1]",
            "1.2.3.4:+1",
        ] {
            #expect(SocketAddress(wrong) == nil, "\(wrong)")
        }
    }
}

@Suite("Words")
struct WordTests {
    @Test("a semantic version is read as semver.org's own list has it")
    func versions() {
        for right in [
            "0.0.4", "1.2.3", "10.20.30", "1.1.2-prerelease+meta", "1.1.2+meta", "1.0.0-alpha", "1.0.0-alpha.0valid",
            "1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay",
            "2.0.1-alpha.1227", "1.0.0+0.build.1-rc.10000aaa-kk-0.1", "1.0.0-0A.is.legal", "1.2.3----RC-SNAPSHOT.12.9.1--.12", "1.0.0--",
        ] {
            #expect(SemanticVersion(right)?.description == right)
        }
        for wrong in [
            "1", "1.2", "1.2.3-0123", "1.2.3-0123.0123", "1.1.2+.123", "+invalid", "-invalid", "alpha", "1.0.0-alpha_beta", "1.0.0-alpha..",
            "01.1.1", "1.01.1", "1.1.01",
            "1.2.3.DEV", "1.2-SNAPSHOT", "-1.0.3-gamma+b7718", "9.8.7+meta+meta", "v1.2.3", "1.2.3 ", "", "1.2.3-", "1.2.3+",
            "99999999999999999999.0.0",
        ] {
            #expect(SemanticVersion(wrong) == nil, "\(wrong)")
        }
    }

    @Test("versions follow each other as the specification's example does")
    func order() throws {
        let versions = try [
            "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0",
            "2.0.0",
        ].map {
            try #require(SemanticVersion($0))
        }
        for (i, a) in versions.enumerated() {
            for (j, b) in versions.enumerated() { #expect(a.precedes(b) == (i < j)) }
        }
    }

    @Test("the nearest word is found, and a foreign one is not guessed")
    func nearest() {
        #expect(EditDistance.between("kitten", "sitting") == 3)
        #expect(EditDistance.between("ttl", "tlt") == 1)
        #expect(EditDistance.between("", "abc") == 3)
        #expect(EditDistance.nearest(to: "ttl_second", among: ["heartbeat_seconds", "ttl_seconds", "grace_seconds"]) == "ttl_seconds")
        #expect(EditDistance.nearest(to: "colour", among: ["ttl_seconds", "site"]) == nil)
    }
}
