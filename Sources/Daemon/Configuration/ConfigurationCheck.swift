import Domain

/// What no single value can get wrong: values that contradict each other.
enum ConfigurationCheck {
    static func problems(of configuration: Configuration) -> (problems: [ConfigurationError.Problem], code: ConfigurationError.Code) {
        var problems: [ConfigurationError.Problem] = []
        var code = ConfigurationError.Code.configuration

        /// Tells of two values where the one that was written last is to blame.
        func fault(_ names: [String], _ message: String, _ hint: String) {
            let origin = names.compactMap { configuration.origins[$0] }.first
            problems.append(ConfigurationError.Problem(origin: origin, message: message, hint: hint))
        }

        let registry = configuration.registry
        if registry.heartbeat >= registry.ttl {
            fault(
                ["registry.heartbeat_seconds", "registry.ttl_seconds"],
                "heartbeat_seconds (\(registry.heartbeat.components.seconds)) is not less than ttl_seconds (\(registry.ttl.components.seconds))",
                "a lease that is renewed only when it has ended is never held; half of the TTL is usual")
        }
        let checks = configuration.checks
        if checks.timeout > checks.interval {
            fault(
                ["checks.timeout_seconds", "checks.interval_seconds"],
                "timeout_seconds (\(checks.timeout.components.seconds)) is more than interval_seconds (\(checks.interval.components.seconds))",
                "a probe must end before the next one begins")
        }
        let store = configuration.store
        if store.ballastBytes >= store.sizeMaxBytes {
            fault(["store.ballast", "store.size_max"], "ballast is not less than size_max", "a sixtieth of size_max is usual")
        }
        if configuration.listen.http.isEmpty, configuration.listen.socket.isEmpty {
            fault(["listen.http", "listen.socket"], "nothing to listen on", "set http, socket or both")
        }
        if configuration.streams.count > Limits.configuredStreamsMax {
            fault(
                ["streams"], "more than \(Limits.configuredStreamsMax) streams", "put kinds of events that are kept alike into one stream")
        }
        for stream in configuration.streams where SettingTable.reservedStreams.contains(stream.name) {
            fault(["streams.\(stream.name)"], "the stream \"\(stream.name)\" is the daemon's own", "choose another name")
        }
        let foreign = configuration.listen.http.filter { !$0.address.isLoopback }
        if let first = foreign.first, configuration.isDevelopment {
            if problems.isEmpty { code = .usage }
            fault(
                ["listen.http"], "\(first) is not loopback, and with --dev every caller is an administrator",
                "leave out --dev, or listen on 127.0.0.1")
        } else if let first = foreign.first, !configuration.listen.allowPlainLAN, !configuration.listen.hasTLS {
            fault(
                ["listen.http"], "\(first) is not loopback, and this listener has no TLS",
                "set listen.tls_certificate and listen.tls_key; or listen on 127.0.0.1 or [::1]; or set listen.allow_plain_lan = true if everybody on that network may read and change what is sent"
            )
        }
        let listen = configuration.listen
        if listen.tlsCertificate.isEmpty != listen.tlsKey.isEmpty {
            let (there, missing) = listen.tlsKey.isEmpty ? ("tls_certificate", "tls_key") : ("tls_key", "tls_certificate")
            fault(
                ["listen.\(there)"], "\(there) is set and \(missing) is not", "TLS needs both: set listen.\(missing) to the other PEM file")
        }
        return (problems, code)
    }
}
