/// The address of a page of ours: what stands in its query is all that a page remembers.
struct PageLink: Equatable, Sendable {
    enum Place: Equatable, Sendable {
        case overview
        case service(String)
    }

    var place: Place
    var tenant: String?
    var search = ""
    var show = Standing.Group?.none
    /// From 1.
    var page = 1
    /// Nil: what the browser asks for.
    var language: Language?

    /// Relative to this host, with its escapes; not yet escaped for HTML.
    var target: String {
        var path = "/ui/"
        var query: [(String, String)] = []
        if case .service(let name) = place { path += "services/" + Self.escaped(name) }
        if let tenant { query.append(("tenant", tenant)) }
        if !search.isEmpty { query.append(("q", search)) }
        if let show { query.append(("show", show.rawValue)) }
        if page > 1 { query.append(("page", "\(page)")) }
        if let language { query.append(("lang", language.rawValue)) }
        return path + (query.isEmpty ? "" : "?" + query.map { "\($0)=\(Self.escaped($1))" }.joined(separator: "&"))
    }

    func with(_ change: (inout PageLink) -> Void) -> String {
        var link = self
        change(&link)
        return link.target
    }

    /// Percent-encoded but for the unreserved characters of RFC 3986.
    static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".unicodeScalars)
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += "%"
                result.unicodeScalars.append(digits[Int(byte >> 4)])
                result.unicodeScalars.append(digits[Int(byte & 15)])
            }
        }
        return result
    }
}
