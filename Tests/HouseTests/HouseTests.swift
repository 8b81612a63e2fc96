import Testing

/// The arrows of the house: what each target may import of ours, from Package.swift's drawing. Imports point down; rooms never meet.
private let allowed: [String: Set<String>] = [
    "Domain": [],
    "RegoSyntax": [],
    "Rego": ["RegoSyntax"],
    "Crypto": ["CCrypto"],
    "RegoHost": ["Rego", "CCrypto", "CRE2", "CYAML"],
    "Compression": ["CZstd"],
    "Store": ["Domain", "Crypto", "CLMDB", "CPlatform"],
    "TLS": ["Domain", "CTLS"],
    "HTTPServer": ["Domain", "TLS", "CMicroHTTPD", "CPlatform", "CZlib"],
    "HTTPClient": ["Domain", "CCurl", "CPlatform"],
    "ServiceManager": ["Domain", "CSystemd", "CPlatform"],
    "Arguments": ["Domain"],
    "Registry": ["Domain", "Store", "Crypto", "HTTPClient"],
    "Uplink": ["Domain", "Store", "Crypto", "Compression", "HTTPClient", "CPlatform"],
    "Receiver": ["Domain", "Store", "HTTPServer", "Crypto", "Compression", "TLS"],
    "API": ["Domain", "Store", "Registry", "Uplink", "HTTPServer", "ServiceManager", "Crypto", "TLS"],
    "Console": ["Domain", "Store", "Registry", "HTTPServer", "Crypto", "CWebAssets", "CPlatform"],
    "Daemon": [
        "Domain", "Store", "HTTPServer", "HTTPClient", "ServiceManager", "Registry", "Uplink", "API", "Console", "Crypto", "TLS",
        "CToml", "CPlatform",
    ],
    "posto": [
        "Daemon", "Domain", "Store", "HTTPClient", "HTTPServer", "ServiceManager", "Registry", "Uplink", "Receiver", "API", "Crypto",
        "TLS", "Compression", "CPlatform", "Rego", "RegoSyntax", "RegoHost", "Arguments",
    ],
]

/// Where rooms meet is `Daemon` and the journal, so that each can be read, tested and replaced alone.
private let rooms: Set<String> = ["Registry", "Uplink"]

/// The system's own modules, which everybody may use.
private let system: Set<String> = ["Glibc", "Musl", "Synchronization", "Swift"]

@Suite("the house")
struct HouseTests {
    private let files = SourceFile.all()

    @Test("the sources are found, all targets of them")
    func sourcesAreFound() {
        #expect(Set(files.map(\.target)).isSuperset(of: allowed.keys))
        #expect(files.count > 100)
    }

    @Test("imports point down")
    func importsPointDown() {
        for file in files {
            guard let mayImport = allowed[file.target] else {
                Issue.record("\(file.path): the target \(file.target) has no place in the house; draw its arrows in HouseTests.swift")
                continue
            }
            for (line, module) in file.imports where !system.contains(module) {
                #expect(
                    mayImport.contains(module),
                    "\(file.path):\(line): \(file.target) imports \(module), and may import \(mayImport.sorted()): a target that knows what stands above it cannot be read or tested alone. Move the shared idea down, or pass it in as a value."
                )
            }
        }
    }

    @Test("rooms do not import each other")
    func roomsDoNotMeet() {
        for room in rooms {
            let others = rooms.subtracting([room])
            #expect(
                allowed[room]!.isDisjoint(with: others),
                "\(room) imports another room: they meet in Daemon and in the journal, nowhere else")
        }
    }

    @Test("nobody imports Foundation, or any part of it")
    func noFoundation() {
        for file in files {
            for (line, module) in file.imports {
                #expect(
                    !module.hasPrefix("Foundation"),
                    "\(file.path):\(line): \(module) costs 7 to 51 MB of binary; what is needed of it is in Domain and Glibc")
            }
        }
    }

    @Test("no file has more than 500 lines")
    func filesAreShort() {
        for file in files {
            #expect(file.lines.count <= 500, "\(file.path) has \(file.lines.count) lines: look for the second idea in it")
        }
    }

    @Test("no type has the name of its module")
    func noTypeNamedAsItsModule() {
        let kinds = ["struct", "class", "enum", "actor", "protocol", "typealias"]
        for file in files {
            for (number, line) in file.code where line.contains(file.target) {
                let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
                for (word, next) in zip(words, words.dropFirst()) where kinds.contains(word) && allowed.keys.contains(next) {
                    #expect(
                        next != file.target || file.target == "posto",
                        "\(file.path):\(number): a type \(next) hides its module: \(next).Something no longer resolves")
                }
            }
        }
    }

    @Test("what the compiler is asked to believe has a SAFETY line that says why")
    func promisesHaveReasons() {
        let promises = ["@unchecked Sendable", "nonisolated(unsafe)", "Unmanaged", "try!", "as!"]
        for file in files + SourceFile.all(under: "Tests") where !file.path.hasPrefix("Tests/HouseTests/") {
            for (number, line) in file.code where promises.contains(where: { line.contains($0) }) {
                let above = file.lines[max(0, number - 1 - 6)..<number]
                let isInOneBlock = file.isUnderSafetyForAll(number)
                #expect(
                    isInOneBlock || above.contains { $0.contains("SAFETY") },
                    "\(file.path):\(number): no SAFETY line within six lines above: \(line)")
            }
        }
    }

    @Test("nothing is left for later")
    func nothingForLater() {
        // Put together, so that this file does not find itself.
        let words = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]
        for file in files + SourceFile.all(under: "Tests") {
            for (number, line) in zip(1..., file.lines) {
                for word in words {
                    #expect(
                        !line.split(whereSeparator: { !$0.isLetter }).contains { $0 == word },
                        "\(file.path):\(number): \(word): do it, or say in the documents that it is not there")
                }
            }
        }
    }

    @Test("limits are declared where all of them can be read")
    func limitsHaveOnePlace() {
        for file in files where !file.path.hasPrefix("Sources/Domain/Limits/") {
            for (number, line) in file.code {
                #expect(
                    !line.contains("extension Limits") && !line.contains("enum Limits"),
                    "\(file.path):\(number): limits stand in Sources/Domain/Limits, each with its reason")
            }
        }
    }
}
