import RegoHost
import Testing

@testable import Rego

/// Digests, certificates and tokens beyond the conformance cases. The certificates are made for these tests and valid for a hundred years.
@Suite("cryptography")
struct CryptographyTests {
    private static let root = """
        -----BEGIN CERTIFICATE-----
        MIIBdTCCARugAwIBAgIUQEzUD9z4+zaykBL28t94qoX1k/AwCgYIKoZIzj0EAwIw
        DzENMAsGA1UEAwwEUm9vdDAgFw0yNjExMjUwMzEwMzRaGA8yMTI2MTEwMTAzMTAz
        NFowDzENMAsGA1UEAwwEUm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGqZ
        9TkHJP+oY5b0I6zcBW+FE4j07wUUluu94hMbHUQBNms6XClN6zewKiKlkmj7Ag3L
        sos9AXdRQBeg57VpyYOjUzBRMB0GA1UdDgQWBBRol8LzpMBWFs5sPTaatDOwkwWk
        sDAfBgNVHSMEGDAWgBRol8LzpMBWFs5sPTaatDOwkwWksDAPBgNVHRMBAf8EBTAD
        AQH/MAoGCCqGSM49BAMCA0gAMEUCIA5lt81h9vXW1nJRH+g6hXFn3JJGcjFFoNIT
        e0/claT9AiEAi14hjlHR27vKXY5agaszpFGiltlsVxTm0MDy16IWR1w=
        -----END CERTIFICATE-----
        """
    private static let leaf = """
        -----BEGIN CERTIFICATE-----
        MIIByzCCAXGgAwIBAgIBTTAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARSb290MCAX
        DTI2MTEyNTAzMTAzNFoYDzIxMjYxMTAxMDMxMDM0WjA2MQswCQYDVQQGEwJJVDEO
        MAwGA1UECgwFUG9zdG8xFzAVBgNVBAMMDmJyYW5jaC5leGFtcGxlMFkwEwYHKoZI
        zj0CAQYIKoZIzj0DAQcDQgAE6n4f8gewwqQ2Y55OJIsXLjVNDcyZj20BjdMkFWRq
        5E01R5WfWzztFUBm+ONWG6zAsF54VBsErBdwXQ9zszqmC6OBlDCBkTAtBgNVHREE
        JjAkgg5icmFuY2guZXhhbXBsZYcEwAACB4YMc3BpZmZlOi8veC95MBMGA1UdJQQM
        MAoGCCsGAQUFBwMBMAsGA1UdDwQEAwIHgDAdBgNVHQ4EFgQUFj1U16TnnKNnCGZQ
        5ZYIz9UpK2wwHwYDVR0jBBgwFoAUaJfC86TAVhbObD02mrQzsJMFpLAwCgYIKoZI
        zj0EAwIDSAAwRQIgNScX3YIYQRSNqQN2qL1sAKWD/30MKrllvzwMQfQgljkCIQDh
        OZRy9a3B3XzsKKXTlpjvtzRP72r5MQzWHpB3Omekvg==
        -----END CERTIFICATE-----
        """
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnVxUD3AEWUZk/93A
        VMybkdF7LoBlklRgMJakDMwV5PGhRANCAATqfh/yB7DCpDZjnk4kixcuNU0NzJmP
        bQGN0yQVZGrkTTVHlZ9bPO0VQGb441YbrMCwXnhUGwSsF3BdD3OzOqYL
        -----END PRIVATE KEY-----
        """
    private static let request = """
        -----BEGIN CERTIFICATE REQUEST-----
        MIHxMIGYAgEAMDYxCzAJBgNVBAYTAklUMQ4wDAYDVQQKDAVQb3N0bzEXMBUGA1UE
        AwwOYnJhbmNoLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATqfh/y
        B7DCpDZjnk4kixcuNU0NzJmPbQGN0yQVZGrkTTVHlZ9bPO0VQGb441YbrMCwXnhU
        GwSsF3BdD3OzOqYLoAAwCgYIKoZIzj0EAwIDSAAwRQIgB7OjDgRfae9oqLDKkUy6
        /slAmkrB34mSWzUHh3sY/jUCIQDKe4e9GL/YxSFFNCVgcTwseKkXAGSRRnmCgm+2
        R4PGqQ==
        -----END CERTIFICATE REQUEST-----
        """

    private func quoted(_ text: String) -> String {
        var writer = JSONWriter()
        Array(text.utf8).withUnsafeBytes { writer.write(string: $0) }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test("digests are those of the standards' examples")
    func digests() throws {
        #expect(try BuiltinCall.call("crypto.sha256", #""abc""#) == "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"")
        #expect(try BuiltinCall.call("crypto.md5", #""""#) == "\"d41d8cd98f00b204e9800998ecf8427e\"")
        // RFC 4231, test case 2.
        let wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        #expect(try BuiltinCall.call("crypto.hmac.sha256", #""what do ya want for nothing?""#, #""Jefe""#) == "\"\(wanted)\"")
        #expect(try BuiltinCall.call("crypto.hmac.sha1", #""x""#, #""""#) != nil)
    }

    @Test("a chain is verified from the leaf to the first certificate, and shown")
    func chain() throws {
        let good = try #require(try BuiltinCall.call("crypto.x509.parse_and_verify_certificates", quoted(Self.root + "\n" + Self.leaf)))
        #expect(good.hasPrefix("[true,"))
        #expect(good.contains(#""URIStrings":["spiffe://x/y"]"#) && good.contains(#""CommonName":"branch.example""#))
        #expect(good.contains(#""IPAddresses":["192.0.2.7"]"#) && good.contains(#""SerialNumber":77"#))
        // The wrong way round, alone, or for another name: refused.
        #expect(try BuiltinCall.call("crypto.x509.parse_and_verify_certificates", quoted(Self.leaf + "\n" + Self.root)) == "[false,[]]")
        #expect(try BuiltinCall.call("crypto.x509.parse_and_verify_certificates", quoted(Self.leaf)) == "[false,[]]")
        let options = "crypto.x509.parse_and_verify_certificates_with_options"
        let chain = quoted(Self.root + "\n" + Self.leaf)
        #expect(try BuiltinCall.call(options, chain, #"{"DNSName": "other.example"}"#) == "[false,[]]")
        #expect(try BuiltinCall.call(options, chain, #"{"KeyUsages": ["KeyUsageClientAuth"]}"#) == "[false,[]]")
        #expect(try BuiltinCall.call(options, chain, #"{"CurrentTime": 0}"#) == "[false,[]]")
        #expect(try BuiltinCall.call(options, chain, #"{"DNSName": "branch.example"}"#)?.hasPrefix("[true,") == true)
    }

    @Test("keys and requests are read, and a pair must fit")
    func keys() throws {
        #expect(try BuiltinCall.call("crypto.x509.parse_keypair", quoted(Self.leaf), quoted(Self.key)) != nil)
        #expect(
            BuiltinCall.error("crypto.x509.parse_keypair", [quoted(Self.root), quoted(Self.key)])
                == "crypto.x509.parse_keypair: tls: private key does not match public key")
        #expect(
            try BuiltinCall.call("crypto.x509.parse_certificate_request", quoted(Self.request))?.contains(#""Organization":["Posto"]"#)
                == true)
        #expect(BuiltinCall.error("crypto.x509.parse_certificates", [#""foobar""#]) != nil)
    }

    /// Signs with the leaf's key, whose numbers the engine tells.
    private func token(_ header: String, _ payload: String, _ key: String) throws -> String {
        try #require(try BuiltinCall.call("io.jwt.encode_sign", header, payload, key))
    }

    private static let secret = #"{"kty": "oct", "k": "c2VjcmV0"}"#

    @Test("a token is accepted only with its key, its algorithm, its audience and in its time")
    func tokens() throws {
        let good = try token(#"{"alg": "HS256"}"#, #"{"aud": ["a", "b"], "iss": "i", "exp": 4000000000}"#, Self.secret)
        func verify(_ constraints: String) throws -> Bool {
            try BuiltinCall.call("io.jwt.decode_verify", good, constraints)?.hasPrefix("[true,") ?? false
        }
        #expect(try verify(#"{"secret": "secret", "aud": "b", "iss": "i"}"#))
        #expect(try !verify(#"{"secret": "secret"}"#))
        #expect(try !verify(#"{"secret": "other", "aud": "b"}"#))
        #expect(try !verify(#"{"secret": "secret", "aud": "b", "alg": "HS512"}"#))
        #expect(try !verify(#"{"secret": "secret", "aud": "b", "iss": "x"}"#))
        #expect(try !verify(#"{"secret": "secret", "aud": "b", "time": 4000000000000000000}"#))
        #expect(try BuiltinCall.call("io.jwt.verify_hs256", good, #""secret""#) == "true")
        // A public key is no secret: who signs with it as one is refused.
        let forged = try token(
            #"{"alg": "HS256"}"#, "{}",
            #"{"kty": "oct", "k": "\#(String(decoding: Base64.rawURL.encode(Array(Self.leaf.utf8)), as: UTF8.self))"}"#)
        #expect(try BuiltinCall.call("io.jwt.decode_verify", forged, #"{"cert": \#(quoted(Self.leaf))}"#)?.hasPrefix("[false,") == true)
        // Nor is "none" an algorithm.
        let none = "\"eyJhbGciOiJub25lIn0.e30.\""
        #expect(
            BuiltinCall.error("io.jwt.decode_verify", [none, #"{"secret": "secret"}"#])
                == "io.jwt.decode_verify: unknown JWS algorithm: none")
    }

    @Test("signatures of an elliptic curve are read back")
    func ellipticCurve() throws {
        let keys = try LibraryKeys.numbers(ofPrivateKey: Self.key)
        let jwk = #"{"kty": "EC", "crv": "P-256", "x": "\#(keys["x"]!)", "y": "\#(keys["y"]!)", "d": "\#(keys["d"]!)"}"#
        let signed = try token(#"{"alg": "ES256"}"#, #"{"a": 1}"#, jwk)
        #expect(try BuiltinCall.call("io.jwt.verify_es256", signed, quoted(Self.leaf)) == "true")
        #expect(try BuiltinCall.call("io.jwt.verify_es256", signed, quoted(Self.root)) == "false")
        #expect(try BuiltinCall.call("io.jwt.verify_rs256", signed, quoted(Self.leaf)) == "false")
    }
}

/// The numbers of a key in Base64url, by the host.
private enum LibraryKeys {
    static func numbers(ofPrivateKey text: String) throws -> [String: String] {
        let block = try #require(PEM.blocks(Array(text.utf8)).first)
        let key = try #require(Host.libraries().cryptography).key(.privateDER(block.bytes))
        return key.numbers.mapValues { String(decoding: Base64.rawURL.encode($0), as: UTF8.self) }
    }
}
