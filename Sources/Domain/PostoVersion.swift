/// The version of this software, SemVer 2.0. The package's changelog and the tests hold it against theirs.
package enum PostoVersion {
    package static let text = "0.1.0"
}
