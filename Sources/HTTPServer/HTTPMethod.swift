/// A request's method. The name of an `.other` is in `HTTPRequest.methodName`.
package enum HTTPMethod: UInt8, Sendable, CaseIterable {
    case get, head, post, put, delete, patch, options, other

    init(_ name: UnsafeBufferPointer<UInt8>) {
        self =
            switch name.count {
            case 3 where name.equals("GET"): .get
            case 3 where name.equals("PUT"): .put
            case 4 where name.equals("HEAD"): .head
            case 4 where name.equals("POST"): .post
            case 5 where name.equals("PATCH"): .patch
            case 6 where name.equals("DELETE"): .delete
            case 7 where name.equals("OPTIONS"): .options
            default: .other
            }
    }

    package var name: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .patch: "PATCH"
        case .options: "OPTIONS"
        case .other: "other"
        }
    }
}
