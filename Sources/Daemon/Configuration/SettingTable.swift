import Domain

/// Every setting there is, in the order in which a person reads them.
package enum SettingTable {
    package static let all: [Setting<Configuration>] = [
        Setting(
            "node", "id", \.node.id, .text("at most 128 characters of A-Z, a-z, 0-9, '.', '_' and '-', or \"\"", rule: isIdentifier),
            reloadable: false, "Name of this node, unique at the central plane; empty: made at the first start and kept."),
        Setting(
            "node", "site", \.node.site, .text("at most 256 bytes", rule: { $0.utf8.count <= 256 }), reloadable: true,
            "Where the node stands, for people."),
        Setting(
            "node", "tenant", \.node.tenant, .text("1 to 63 characters of a-z, 0-9 and '-', a letter first", rule: \.isStreamName),
            reloadable: false,
            "Tenant of everything that does not say one."),
        Setting("node", "labels", \.node.labels, .labels, reloadable: true, "What the central plane may group nodes by."),

        Setting(
            "listen", "http", \.listen.http,
            .list(
                of: "an address and port such as \"127.0.0.1:8500\" or \"[::1]:8500\"", max: Limits.listenAddressesMax,
                parse: { SocketAddress($0) },
                write: \.description), reloadable: false, "Addresses of the HTTP listener; port 0 picks a free one."),
        Setting("listen", "socket", \.listen.socket, .socketPath, reloadable: false, "Unix socket; callers are known by their user there."),
        Setting(
            "listen", "tls_certificate", \.listen.tlsCertificate, .path, reloadable: false,
            "PEM file: the node's certificate, then each one's issuer. With it, addresses that are not loopback speak TLS only, loopback both. SIGHUP reads the file again."
        ),
        Setting(
            "listen", "tls_key", \.listen.tlsKey, .path, reloadable: false,
            "PEM file: the key of that certificate, without a password, readable by the daemon alone. SIGHUP reads the file again."),
        Setting(
            "listen", "allow_plain_lan", \.listen.allowPlainLAN, .flag, reloadable: false,
            "Whether to listen without TLS on addresses that are not loopback; anybody on that network can read and change what is sent."),

        Setting(
            "access", "loopback", \.access.loopback, .choice, reloadable: true,
            "What callers from loopback may do without a token: nothing, read health, or act as a service."),

        Setting(
            "store", "size_max", \.store.sizeMaxBytes, .size(in: 8 << 20...1 << 44), reloadable: false,
            "Most that the store may take of the disk."),
        Setting(
            "store", "ballast", \.store.ballastBytes, .size(in: 0...1 << 36), reloadable: false,
            "Room kept aside and given up when the disk is full, so that the audit trail can still be written."),

        Setting(
            "registry", "ttl_seconds", \.registry.ttl, .seconds(in: 10...3_600), reloadable: true,
            "Length of a lease whose registration says none."),
        Setting(
            "registry", "heartbeat_seconds", \.registry.heartbeat, .seconds(in: 1...3_600), reloadable: true,
            "How often holders are told to renew; less than the TTL."),
        Setting(
            "registry", "grace_seconds", \.registry.grace, .seconds(in: 0...3_600), reloadable: true,
            "How long an expired registration is still listed, flagged, so that a slow holder may come back."),
        Setting(
            "registry", "static", \.registry.staticFolder, .path, reloadable: true,
            "Folder of registrations that are listed when no live one has the name."),

        Setting("checks", "enabled", \.checks.enabled, .flag, reloadable: true, "Whether instances are probed."),
        Setting(
            "checks", "interval_seconds", \.checks.interval, .seconds(in: 1...3_600), reloadable: true, "Between two probes of an instance."
        ),
        Setting(
            "checks", "timeout_seconds", \.checks.timeout, .seconds(in: 1...60), reloadable: true,
            "Until a probe without an answer has failed; at most the interval."),
        Setting(
            "checks", "failures", \.checks.failures, .integer(in: 1...100), reloadable: true,
            "Failed probes in a row that make an instance critical."),
        Setting(
            "checks", "successes", \.checks.successes, .integer(in: 1...100), reloadable: true,
            "Good probes in a row that make it passing again."),
        Setting(
            "checks", "networks", \.checks.networks,
            .list(
                of: "a network such as \"10.0.0.0/8\" or \"::1/128\"", max: Limits.probeNetworksMax, parse: { Network($0) },
                write: \.description),
            reloadable: true, "The only addresses that are probed, so that a registration cannot aim the node at others."),

        Setting(
            "uplink", "url", \.uplink.url, .uplinkURL, reloadable: false,
            "Where streams are sent to; empty: nowhere. Plain http only to this host itself."),
        Setting(
            "uplink", "token_file", \.uplink.tokenFile, .path, reloadable: false,
            "File with the token that the receiver knows this node by, on one line."),
        Setting(
            "uplink", "ca_file", \.uplink.caFile, .path, reloadable: false,
            "File with the certificates that the receiver's is checked against (PEM); empty: the system's."),
        Setting(
            "uplink", "batch_records", \.uplink.batchRecords, .integer(in: 1...Limits.uplinkBatchRecordsMax), reloadable: false,
            "Most records of one request."),
        Setting(
            "uplink", "batch_bytes", \.uplink.batchBytes, .integer(in: 1_024...Limits.uplinkBatchBytesMax, unit: "bytes"),
            reloadable: false,
            "Most bytes of one request before compression; a longer record goes alone."),
        Setting(
            "uplink", "linger_milliseconds", \.uplink.linger, .milliseconds(in: 0...900_000), reloadable: false,
            "How long records of priority 2 and more wait for others, so that a request is worth its trip; audit and alerts never wait."),
        Setting(
            "uplink", "reconnect_spread_seconds", \.uplink.spread, .seconds(in: 0...3_600), reloadable: false,
            "After an outage of a minute or more a node waits a random part of this, so that a fleet does not come back at once."),
        Setting(
            "uplink", "grace_seconds", \.uplink.grace, .seconds(in: 0...31_536_000), reloadable: false,
            "How long acknowledged events are kept, for a receiver that was restored from a backup; less when their stream is 90 % full."),
        Setting(
            "uplink", "compression_level", \.uplink.compressionLevel, .integer(in: 0...19), reloadable: false,
            "Of Zstandard: 1 for fast links, 6 for links that cost money, 0 for none."),

        Setting("log", "level", \.log.level, .choice, reloadable: true, "Lines below this level are not written."),
        Setting(
            "log", "format", \.log.format, .choice, reloadable: false,
            "Where lines go: the systemd journal with fields, JSON or text on standard error; auto: the journal when it is connected, else JSON."
        ),
    ]

    /// The keys of one `[[streams]]`.
    package static let stream: [Setting<Configuration.Stream>] = [
        Setting("", "name", \.name, .streamName, reloadable: false, "Name of the stream in addresses and records."),
        Setting(
            "", "priority", \.priority, .integer(in: 0...5), reloadable: false,
            "0 audit, 1 alert, 2 state, 3 business event, 4 telemetry, 5 bulk."),
        Setting("", "bytes_max", \.bytesMax, .size(in: 1 << 20...1 << 44), reloadable: false, "Most that is kept of it."),
        Setting("", "age_max", \.ageMax, .duration(inSeconds: 60...3_650 * 86_400), reloadable: false, "How long its records are kept."),
        Setting(
            "", "when_full", \.whenFull, .choice, reloadable: false, "What gives way when it is full: the sender, or the oldest records."),
    ]

    /// Streams of the daemon itself.
    package static let reservedStreams = ["state", "audit"]

    package static let sections: [String] = {
        var names: [String] = []
        for setting in all where names.last != setting.section { names.append(setting.section) }
        return names + ["streams"]
    }()

    /// One sentence for each section.
    package static func help(ofSection section: String) -> String {
        switch section {
        case "node": "Who this node is."
        case "listen": "Where it listens."
        case "access": "Who may call without a token."
        case "store": "How much of the disk it may take."
        case "registry": "How long registrations live."
        case "checks": "How instances are probed."
        case "uplink": "Where the node's streams are sent to."
        case "log": "What it tells about itself."
        default: "Streams that services may write events to; one table each."
        }
    }

    private static let isIdentifier: @Sendable (String) -> Bool = { text in
        text.utf8.count <= 128
            && text.utf8.allSatisfy { $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 26 || $0 == 45 || $0 == 46 || $0 == 95 }
    }
}
