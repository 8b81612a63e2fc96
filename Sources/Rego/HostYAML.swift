/// Reads and writes YAML as events; what they mean (booleans, numbers, merges) the engine decides.
public protocol HostYAML: Sendable {
    /// The events of the first document; empty when there is none.
    ///
    /// - Throws: with the line, as `line 3: did not find expected key`.
    func events(of text: [UInt8]) throws(HostFailure) -> [YAMLEvent]
    /// One document in block style.
    func text(of events: [YAMLEvent]) throws(HostFailure) -> [UInt8]
}

/// One event of a YAML document.
public enum YAMLEvent: Sendable, Equatable {
    public enum Style: Sendable { case plain, singleQuoted, doubleQuoted, literal }

    /// `tag` is as written and resolved ("tag:yaml.org,2002:str"), empty when there is none; `anchor` names it for aliases.
    case scalar(value: [UInt8], style: Style, tag: String = "", anchor: String = "")
    case alias(String)
    case sequenceStart(anchor: String = "")
    case sequenceEnd
    case mappingStart(anchor: String = "")
    case mappingEnd
}
