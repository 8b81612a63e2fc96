// swift-tools-version: 6.2
import PackageDescription

// The house (Documentation/HOUSE.md draws it): imports point down, rooms never import each other.
// A new target needs one of four reasons: it hides a C library, it must stay pure, it is a room, it is wiring.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// On the way of every request, in release builds only: the run-time check that no property is read while it is written costs 700 of the 12,600
// instructions of a look-up (Documentation/BENCHMARKS.md). What the compiler can prove it still refuses; debug builds, and so all tests, check the rest.
let hot = strict + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

// What is seldom run, and is most of the program's size: the optimizer goes for fewer bytes.
let small = strict + [.unsafeFlags(["-Osize"], .when(configuration: .release))]

let package = Package(
    name: "posto",
    products: [
        .executable(name: "posto", targets: ["posto"]),
        .library(name: "RegoSyntax", targets: ["RegoSyntax"]),
        .library(name: "Rego", targets: ["Rego"]),
    ],
    targets: [
        // C libraries of the system, each hidden behind one Swift target.
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(
            name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CTLS", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        // RE2 (libre2-dev), whose interface is C++.
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .target(name: "CPlatform"),
        .target(name: "CWebAssets", exclude: ["files"]),
        .target(
            name: "CToml",
            cxxSettings: [.define("TOML_HEADER_ONLY", to: "1"), .define("TOML_EXCEPTIONS", to: "0")]),

        // Words.
        .target(name: "Domain", swiftSettings: strict),
        .target(name: "Arguments", dependencies: ["Domain"], swiftSettings: small),

        // Engine: pure, usable by any Swift program.
        .target(name: "RegoSyntax", swiftSettings: small),
        .target(name: "Rego", dependencies: ["RegoSyntax"], swiftSettings: hot),

        // Edges.
        .target(name: "Crypto", dependencies: ["CCrypto"], swiftSettings: strict),
        .target(name: "TLS", dependencies: ["Domain", "CTLS"], swiftSettings: small),
        .target(name: "RegoHost", dependencies: ["Rego", "CCrypto", "CRE2", "CYAML"], swiftSettings: small),
        .target(name: "Compression", dependencies: ["CZstd"], swiftSettings: strict),
        .target(name: "Store", dependencies: ["Domain", "Crypto", "CLMDB", "CPlatform"], swiftSettings: strict),
        .target(
            name: "HTTPServer", dependencies: ["Domain", "TLS", "CMicroHTTPD", "CPlatform", "CZlib"],
            swiftSettings: hot),
        .target(name: "HTTPClient", dependencies: ["Domain", "CCurl", "CPlatform"], swiftSettings: strict),
        .target(
            name: "ServiceManager", dependencies: ["Domain", "CSystemd", "CPlatform"], swiftSettings: strict),

        // Rooms.
        .target(
            name: "Registry", dependencies: ["Domain", "Store", "Crypto", "HTTPClient"], swiftSettings: strict),
        .target(
            name: "Uplink", dependencies: ["Domain", "Store", "Crypto", "Compression", "HTTPClient", "CPlatform"], swiftSettings: strict),

        // Faces.
        .target(
            name: "Receiver", dependencies: ["Domain", "Store", "HTTPServer", "Crypto", "Compression", "TLS"], swiftSettings: small),
        .target(
            name: "API", dependencies: ["Domain", "Store", "Registry", "Uplink", "HTTPServer", "ServiceManager", "Crypto", "TLS"],
            swiftSettings: hot),
        .target(
            name: "Console", dependencies: ["Domain", "Store", "Registry", "HTTPServer", "Crypto", "CWebAssets", "CPlatform"],
            swiftSettings: small),

        // Wiring.
        .target(
            name: "Daemon",
            dependencies: [
                "Domain", "Store", "HTTPServer", "HTTPClient", "ServiceManager", "Registry", "Uplink", "API", "Console", "Crypto", "TLS",
                "CToml", "CPlatform",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "posto",
            dependencies: [
                "Daemon", "Domain", "Store", "HTTPClient", "HTTPServer", "ServiceManager", "Registry", "Uplink", "Receiver",
                "API", "Crypto", "TLS", "Compression", "CPlatform", "Rego", "RegoSyntax", "RegoHost", "Arguments",
            ],
            swiftSettings: small),

        // What several of the tests build on.
        .target(name: "TestSupport", dependencies: ["Domain"], path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "DomainTests", dependencies: ["Domain", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "RegoTests", dependencies: ["Rego", "RegoSyntax", "RegoHost"], exclude: ["Conformance/KnownGaps.json"],
            swiftSettings: strict),
        .testTarget(name: "RegoSyntaxTests", dependencies: ["RegoSyntax", "Domain"], swiftSettings: strict),
        .testTarget(
            name: "StoreTests", dependencies: ["Store", "Domain", "Crypto", "CLMDB", "CPlatform", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "HTTPServerTests", dependencies: ["HTTPServer", "TLS", "Domain", "CPlatform", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "EdgeTests", dependencies: ["HTTPClient", "ServiceManager", "Crypto", "TLS", "Domain", "CPlatform", "TestSupport"],
            swiftSettings: strict),
        .testTarget(name: "RegistryTests", dependencies: ["Registry", "Domain", "Store", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "UplinkTests", dependencies: ["Uplink", "Receiver", "HTTPServer", "Domain", "Store", "Crypto", "Compression"],
            swiftSettings: strict),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "Daemon", "API", "Domain", "HTTPServer", "Registry", "Uplink", "Store", "ServiceManager", "CPlatform", "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ConsoleTests", dependencies: ["Console", "CWebAssets", "Domain", "HTTPServer", "Registry", "Store", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "posto", "Arguments", "Domain", "Store", "HTTPClient", "Crypto", "Rego", "RegoSyntax", "TestSupport",
            ], swiftSettings: strict),
        .testTarget(name: "HouseTests", swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx17
)
