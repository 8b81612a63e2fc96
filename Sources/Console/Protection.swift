import HTTPServer

/// The headers that keep a page to itself: it loads from this node only, runs nothing that is written into it, and stands in nobody's frame.
enum Protection {
    static let ofPages = [
        HTTPHeader(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        HTTPHeader("X-Content-Type-Options", "nosniff"), HTTPHeader("Referrer-Policy", "no-referrer"),
        HTTPHeader("Cross-Origin-Opener-Policy", "same-origin"), HTTPHeader("Cross-Origin-Resource-Policy", "same-origin"),
    ]
    static let ofAssets = [HTTPHeader("X-Content-Type-Options", "nosniff"), HTTPHeader("Cross-Origin-Resource-Policy", "same-origin")]
}
