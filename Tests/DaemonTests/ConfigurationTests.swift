import Daemon
import Domain
import Glibc
import TestSupport
import Testing

func load(_ text: String, _ change: (inout ConfigurationSources) -> Void = { _ in }) throws -> Configuration {
    let folder = TemporaryFolder()
    folder.write("posto.toml", text)
    var sources = ConfigurationSources(file: folder.path + "/posto.toml")
    change(&sources)
    return try ConfigurationLoader.load(sources)
}

/// The problems of a configuration, without the folder's name.
func problems(_ text: String, _ change: (inout ConfigurationSources) -> Void = { _ in }) throws -> [String] {
    let folder = TemporaryFolder()
    folder.write("posto.toml", text)
    var sources = ConfigurationSources(file: folder.path + "/posto.toml")
    change(&sources)
    do {
        _ = try ConfigurationLoader.load(sources)
        return []
    } catch {
        return error.problems.map { problem in
            let text = problem.description
            return text.hasPrefix(folder.path) ? String(text.dropFirst(folder.path.count + 1)) : text
        }
    }
}

@Suite("The configuration")
struct ConfigurationTests {
    @Test("an empty file gives the documented defaults")
    func defaults() throws {
        let configuration = try load("")
        #expect(configuration.node.tenant == "default")
        #expect(configuration.listen.http.map(\.description) == ["127.0.0.1:8500"])
        #expect(configuration.listen.socket == "/run/posto/posto.sock")
        #expect(configuration.access.loopback == .service)
        #expect(configuration.store.sizeMaxBytes == 4 << 30)
        #expect(configuration.store.ballastBytes == 64 << 20)
        #expect(configuration.registry.ttl == .seconds(60))
        #expect(configuration.registry.heartbeat == .seconds(30))
        #expect(configuration.registry.grace == .seconds(15))
        #expect(configuration.checks.networks.map(\.description) == ["127.0.0.0/8", "::1/128"])
        #expect(configuration.streams.isEmpty)
        #expect(configuration.log.level == .info)
    }

    @Test("every setting is read from its file")
    func everything() throws {
        let configuration = try load(
            """
            [node]
            id = "till-7"
            site = "Branch 42, Żabia"
            tenant = "retail"
            labels = { floor = "2", "kind of" = "till" }
            [listen]
            http = ["127.0.0.1:0", "[::1]:8500", "10.0.0.1:80"]
            socket = ""
            allow_plain_lan = true
            [access]
            loopback = "health"
            [store]
            size_max = "16MiB"
            ballast = "0B"
            [registry]
            ttl_seconds = 20
            heartbeat_seconds = 5
            grace_seconds = 0
            static = ""
            [checks]
            enabled = false
            interval_seconds = 10
            timeout_seconds = 10
            failures = 1
            successes = 1
            networks = ["10.0.0.0/8"]
            [[streams]]
            name = "sales"
            priority = 1
            bytes_max = "2GiB"
            age_max = "36h"
            when_full = "drop-oldest"
            [[streams]]
            name = "telemetry"
            [log]
            level = "warning"
            format = "text"
            """)
        #expect(configuration.node.labels == ["floor": "2", "kind of": "till"])
        #expect(configuration.node.site == "Branch 42, Żabia")
        #expect(configuration.listen.http.map(\.description) == ["127.0.0.1:0", "[::1]:8500", "10.0.0.1:80"])
        #expect(configuration.listen.socket == "")
        #expect(configuration.access.loopback == .health)
        #expect(configuration.store.sizeMaxBytes == 16 << 20)
        #expect(configuration.registry.ttl == .seconds(20))
        #expect(!configuration.checks.enabled)
        #expect(configuration.checks.networks == [Network("10.0.0.0/8")!])
        #expect(configuration.streams.map(\.name) == ["sales", "telemetry"])
        #expect(configuration.streams[0].ageMax == .seconds(36 * 3_600))
        #expect(configuration.streams[0].whenFull == .dropOldest)
        #expect(configuration.streams[1].priority == 3)
        #expect(configuration.log.level == .warning)
        // What --check prints is a configuration again, the same one.
        let again = try load(ConfigurationText.check(configuration))
        #expect(ConfigurationText.check(again).withoutComments == ConfigurationText.check(configuration).withoutComments)
    }

    @Test("conf.d comes after the file in order of names, then the environment, then flags")
    func order() throws {
        let folder = TemporaryFolder()
        folder.write("posto.toml", "[registry]\nttl_seconds = 100\ngrace_seconds = 1\n[log]\nlevel = \"debug\"\n[node]\nsite = \"a\"\n")
        folder.write("conf.d/20-b.toml", "[registry]\nttl_seconds = 300\n")
        folder.write("conf.d/10-a.toml", "[registry]\nttl_seconds = 200\n\ngrace_seconds = 2\n")
        folder.write("conf.d/ignored.txt", "nonsense")
        let sources = ConfigurationSources(
            file: folder.path + "/posto.toml",
            environment: [
                "POSTO_LOG__LEVEL": "error", "POSTO_SERVER": "unix:/x", "HOME": "/", "POSTO_NODE__LABELS": "a=b, c=d",
                "POSTO_LISTEN__HTTP": "127.0.0.1:1", "POSTO_CHECKS__NETWORKS": "10.0.0.0/8,192.168.0.0/16",
            ], listen: ["127.0.0.1:2", "[::1]:3"], socket: "/tmp/x.sock")
        let configuration = try ConfigurationLoader.load(sources)
        #expect(configuration.registry.ttl == .seconds(300))
        #expect(configuration.registry.grace == .seconds(2))
        #expect(configuration.log.level == .error)
        #expect(configuration.node.labels == ["a": "b", "c": "d"])
        #expect(configuration.listen.http.map(\.port) == [2, 3])
        #expect(configuration.checks.networks.count == 2)
        #expect(configuration.origins["registry.ttl_seconds"] == .file(folder.path + "/conf.d/20-b.toml", line: 2))
        #expect(configuration.origins["registry.grace_seconds"] == .file(folder.path + "/conf.d/10-a.toml", line: 4))
        let text = ConfigurationText.check(configuration)
        #expect(text.contains("level = \"error\"  # POSTO_LOG__LEVEL\n"))
        #expect(text.contains("http = [\"127.0.0.1:2\", \"[::1]:3\"]  # --listen\n"))
        #expect(text.contains("site = \"a\"  # \(folder.path)/posto.toml:7\n"))
        #expect(text.contains("failures = 3  # default\n"))
    }

    @Test("an unknown key names its line and the nearest one")
    func unknownKey() throws {
        #expect(
            try problems("[registry]\n\nttl_second = 1\n") == [
                "posto.toml:3: unknown key \"ttl_second\" in [registry]\nhint: did you mean \"ttl_seconds\"?"
            ])
        #expect(
            try problems("[registry]\nlevel = \"info\"\n") == [
                "posto.toml:2: unknown key \"level\" in [registry]\nhint: it belongs below [log]"
            ])
        #expect(
            try problems("[regsitry]\nttl_seconds = 60\n") == ["posto.toml:1: unknown section [regsitry]\nhint: did you mean [registry]?"])
        #expect(
            try problems("ttl_seconds = 60\n") == [
                "posto.toml:1: \"ttl_seconds\" stands outside of its section\nhint: it belongs below [registry]"
            ])
        #expect(
            try problems("[[streams]]\nname = \"a\"\npriorty = 2\n") == [
                "posto.toml:3: unknown key \"priorty\" in [[streams]]\nhint: did you mean \"priority\"?"
            ])
        #expect(
            try problems("") { $0.environment = ["POSTO_REGISTRY__TTL_SECOND": "1"] }
                == ["POSTO_REGISTRY__TTL_SECOND: no setting has this variable\nhint: did you mean POSTO_REGISTRY__TTL_SECONDS?"])
    }

    @Test("all that is wrong is told at once, in the order of the lines")
    func manyProblems() throws {
        let found = try problems(
            """
            [registry]
            ttl_seconds = "60"
            heartbeat_seconds = 0
            [store]
            size_max = "4GB"
            ballast = "lots"
            [checks]
            networks = ["10.0.0.1/8"]
            enabled = 1
            [log]
            level = "wrning"
            [listen]
            http = ["localhost:8500"]
            """)
        #expect(
            found == [
                "posto.toml:2: ttl_seconds is a string\nhint: expected an integer of seconds",
                "posto.toml:3: heartbeat_seconds: 0 is out of range\nhint: choose 1 to 3600 seconds",
                "posto.toml:5: size_max: \"4GB\" has no unit that is known here\nhint: write a whole number and one of B, KiB, MiB, GiB, TiB, such as \"64MiB\"",
                "posto.toml:6: ballast: \"lots\" does not begin with a number\nhint: write a whole number and one of B, KiB, MiB, GiB, TiB, such as \"64MiB\"",
                "posto.toml:8: networks: \"10.0.0.1/8\" is not a network such as \"10.0.0.0/8\" or \"::1/128\"",
                "posto.toml:9: enabled is an integer\nhint: expected true or false",
                "posto.toml:11: level: \"wrning\" is not known here\nhint: did you mean \"warning\"? choose one of \"debug\", \"info\", \"warning\", \"error\"",
                "posto.toml:13: http: \"localhost:8500\" is not an address and port such as \"127.0.0.1:8500\" or \"[::1]:8500\"",
            ])
    }

    @Test("a file that is not TOML, or says a key twice, names the line")
    func syntax() throws {
        let broken = try problems("[log]\nlevel = \n")
        #expect(broken.count == 1)
        #expect(broken[0].hasPrefix("posto.toml:2: "), "\(broken)")
        let twice = try problems("[log]\nlevel = \"info\"\nlevel = \"debug\"\n")
        #expect(twice.count == 1)
        #expect(twice[0].hasPrefix("posto.toml:3: "), "\(twice)")
    }

    @Test("values that contradict each other are refused, at the line that said so")
    func contradictions() throws {
        #expect(
            try problems("[registry]\nttl_seconds = 30\n")[0].hasPrefix(
                "posto.toml:2: heartbeat_seconds (30) is not less than ttl_seconds (30)"))
        #expect(
            try problems("[checks]\ntimeout_seconds = 4\n")[0].hasPrefix(
                "posto.toml:2: timeout_seconds (4) is more than interval_seconds (3)"))
        #expect(try problems("[checks]\ntimeout_seconds = 3\n").isEmpty)
        #expect(try problems("[store]\nsize_max = \"64MiB\"\n")[0].hasPrefix("posto.toml:2: ballast is not less than size_max"))
        #expect(try problems("[listen]\nhttp = []\nsocket = \"\"\n")[0].contains("nothing to listen on"))
        #expect(try problems("[[streams]]\nname = \"audit\"\n")[0].hasPrefix("posto.toml:1: the stream \"audit\" is the daemon's own"))
        #expect(
            try problems("[[streams]]\nname = \"a\"\n[[streams]]\nname = \"a\"\n")[0].hasPrefix(
                "posto.toml:3: the stream \"a\" is there twice"))
        #expect(try problems("[[streams]]\npriority = 1\n")[0].hasPrefix("posto.toml:1: a stream without a name"))
        #expect(try problems("[[streams]]\nname = \"Sales\"\n")[0].hasPrefix("posto.toml:2: name: \"Sales\" does not fit"))
    }

    @Test("a certificate takes the place of allow_plain_lan, needs its key, and never makes --dev reach the network")
    func certificate() throws {
        let tls = "tls_certificate = \"/c.pem\"\ntls_key = \"/k.pem\"\n"
        #expect(try problems("[listen]\nhttp = [\"0.0.0.0:8500\"]\n\(tls)").isEmpty)
        #expect(try problems("[listen]\ntls_key = \"/k.pem\"\n")[0].hasPrefix("posto.toml:2: tls_key is set and tls_certificate is not"))
        #expect(try problems("[listen]\ntls_certificate = \"c.pem\"\n")[0].contains("an absolute path"))
        #expect(try !problems("[listen]\nhttp = [\"0.0.0.0:8500\"]\n\(tls)") { $0.isDevelopment = true }.isEmpty)
    }

    @Test("an address that is not loopback needs allow_plain_lan, and never goes with --dev")
    func plainLAN() throws {
        #expect(try problems("[listen]\nhttp = [\"0.0.0.0:8500\"]\n")[0].hasPrefix("posto.toml:2: 0.0.0.0:8500 is not loopback"))
        #expect(try problems("[listen]\nhttp = [\"0.0.0.0:8500\"]\nallow_plain_lan = true\n").isEmpty)
        #expect(try problems("") { $0.listen = ["[::]:0"] }[0].hasPrefix("--listen: [::]:0 is not loopback"))
        let error = #expect(throws: ConfigurationError.self) {
            try load("[listen]\nallow_plain_lan = true\n") {
                $0.listen = ["192.168.1.1:80"]
                $0.isDevelopment = true
            }
        }
        #expect(error?.exitCode == 2)
        let wrong = #expect(throws: ConfigurationError.self) { try load("x = 1") }
        #expect(wrong?.exitCode == 78)
    }

    @Test("--dev puts the socket into the state folder unless told otherwise")
    func development() throws {
        let configuration = try load("[listen]\nsocket = \"/run/other.sock\"\n") {
            $0.isDevelopment = true
            $0.stateFolder = "/tmp/state"
        }
        #expect(configuration.isDevelopment)
        #expect(configuration.listen.socket == "/tmp/state/posto.sock")
        let told = try load("") {
            $0.isDevelopment = true
            $0.socket = "/tmp/mine.sock"
        }
        #expect(told.listen.socket == "/tmp/mine.sock")
    }

    @Test("a file that was named must be there; the default one need not")
    func missingFile() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationLoader.load(ConfigurationSources(file: "/nonexistent/posto.toml"))
        }
        #expect(error?.description.hasPrefix("/nonexistent/posto.toml: there is no such file\nhint: ") == true)
        let folder = #expect(throws: ConfigurationError.self) { try ConfigurationLoader.load(ConfigurationSources(file: "/tmp")) }
        #expect(folder?.description == "/tmp: cannot be read: it is not a file")
    }

    @Test("a reload applies what it can and names the rest")
    func reload() throws {
        let folder = TemporaryFolder()
        let sources = ConfigurationSources(file: folder.path + "/posto.toml")
        folder.write("posto.toml", "[registry]\nttl_seconds = 60\n[[streams]]\nname = \"a\"\n")
        let running = try ConfigurationLoader.load(sources)
        folder.write(
            "posto.toml",
            "[registry]\nttl_seconds = 90\n[store]\nsize_max = \"1GiB\"\n[[streams]]\nname = \"a\"\npriority = 5\n[[streams]]\nname = \"b\"\n"
        )
        let reload = try running.reload(from: sources)
        #expect(reload.changed.map(\.name) == ["registry.ttl_seconds"])
        #expect(reload.changed[0].before == "60")
        #expect(reload.changed[0].after == "90")
        #expect(reload.needsRestart.map(\.name) == ["store.size_max", "streams.a", "streams.b"])
        #expect(reload.configuration.registry.ttl == .seconds(90))
        #expect(reload.configuration.store == running.store)
        #expect(reload.configuration.streams == running.streams)
        folder.write("posto.toml", "[registry]\nttl_seconds = 1\n")
        #expect(throws: ConfigurationError.self) { try running.reload(from: sources) }
    }

    @Test("the shipped file is all defaults, commented out, and reads back when the comments go")
    func shippedFile() throws {
        let shipped = ConfigurationText.shippedFile()
        let unchanged = try load(shipped)
        #expect(ConfigurationText.check(unchanged) == ConfigurationText.check(Configuration()))
        let lines = shipped.split(separator: "\n").map { $0.first == "#" && $0.dropFirst().first != " " ? $0.dropFirst() : $0 }
        let uncommented = try load(lines.joined(separator: "\n"))
        #expect(uncommented.streams.map(\.name) == ["sales"])
        for setting in SettingTable.all {
            #expect(setting.write(uncommented) == setting.write(Configuration()))
            #expect(uncommented.origins[setting.name] != nil, "\(setting.name) is not in the shipped file")
            #expect(ConfigurationText.documentation().contains("| `\(setting.name)` |"))
            #expect(setting.help.hasSuffix("."), "\(setting.name)")
        }
    }
}

extension String {
    fileprivate var withoutComments: [Substring] {
        split(separator: "\n").map { $0.prefix(upTo: $0.firstRange(of: "  #")?.lowerBound ?? $0.endIndex) }
    }
}

extension Substring {
    fileprivate func firstRange(of text: String) -> Range<Index>? {
        indices.first { self[$0...].hasPrefix(text) }.map { $0..<index($0, offsetBy: text.count) }
    }
}
