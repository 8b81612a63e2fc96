extension Limits {
    /// One configuration file. People write them; anything larger is another file given by mistake.
    package static let configurationFileBytesMax = 1 << 20
    /// Files in `conf.d`: more is a folder that something fills.
    package static let configurationFilesMax = 256
    /// Streams of the configuration; the journal numbers at most 128, and keeps some for itself.
    package static let configuredStreamsMax = 96
    /// Labels of a node go into each record's metadata at the central plane.
    package static let nodeLabelsMax = 64
    /// Networks that probes may enter: each probe walks the list.
    package static let probeNetworksMax = 64
    /// Addresses to listen on: each has its own socket and thread.
    package static let listenAddressesMax = 16
}
