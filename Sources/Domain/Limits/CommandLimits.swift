extension Limits {
    /// Bytes of a token's file: a token has some fifty.
    package static let tokenFileBytesMax = 4_096
    /// Bytes of a file of registrations: a hundred thousand of a usual size.
    package static let registrationFileBytesMax = 64 << 20
    /// Seconds that the verification of a damaged store may take: a journal of 10 GiB on a slow disk, several times.
    package static let verificationSecondsMax = 7_200
    /// What a watch waits at most before it asks again: below the usual idle time of proxies and firewalls.
    package static let watchWait = Duration.seconds(30)
    /// Between two attempts to reach a daemon that is away.
    package static let retryInterval = Duration.seconds(1)
    /// Free space below which a first start is advised against: the ballast and some hundred commits.
    package static let preflightFreeBytesMin: UInt64 = 128 << 20

    /// Folders within folders that are searched for policies: a link that leads back must not be followed for ever.
    package static let regoFolderDepthMax = 64
}
