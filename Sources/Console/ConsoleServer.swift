import Domain
import HTTPServer
import Registry
import Store

/// What the pages need of the node besides the registry; `Daemon` fills it in. All of it is called on the HTTP thread and must not wait.
package struct ConsoleSources: Sendable {
    /// Why a caller is not shown the pages.
    package enum Closed: Sendable {
        /// Nobody knows who calls.
        case unknownCaller
        case notPermitted
    }

    /// Nil for who may see the pages: whoever may list the services.
    package var closed: @Sendable (borrowing HTTPRequest) -> Closed?
    package var picture: @Sendable () -> NodePicture

    package init(
        closed: @escaping @Sendable (borrowing HTTPRequest) -> Closed?, picture: @escaping @Sendable () -> NodePicture
    ) {
        self.closed = closed
        self.picture = picture
    }
}

/// The technicians' pages, under `/ui/`. They are only read: whatever is asked, nothing is changed.
package final class ConsoleServer: Sendable {
    private let registry: ServiceRegistry
    private let sources: ConsoleSources
    private let assets: Assets
    private let thread = PageThread()

    package init(registry: ServiceRegistry, sources: ConsoleSources, assets: Assets) {
        self.registry = registry
        self.sources = sources
        self.assets = assets
    }

    package func start() { thread.start() }

    /// After the door was drained.
    package func stop() { thread.stop() }

    /// Whether a request is for the pages: everything under `/ui`, and `/` for a browser.
    package static func takes(_ request: borrowing HTTPRequest) -> Bool {
        let path = request.path
        if path.count == 1 {
            guard request.method == .get || request.method == .head else { return false }
            return request.header("Accept")?.contains("text/html") ?? false
        }
        return path.count >= 3 && path[1] == UInt8(ascii: "u") && path[2] == UInt8(ascii: "i")
            && (path.count == 3 || path[3] == UInt8(ascii: "/"))
    }

    package func handle(_ request: borrowing HTTPRequest) -> HTTPReply {
        let path = request.pathString
        let query = request.queryItems()
        guard request.method == .get || request.method == .head else {
            return .answer(refused(request, 405, \.methodNotAllowed, query, [HTTPHeader("Allow", "GET, HEAD")]))
        }
        if path == "/" || path == "/ui" {
            return .answer(HTTPResponse(status: 302, headers: [HTTPHeader("Location", "/ui/")]))
        }
        // They say nothing of the node, and a page that refuses needs them too.
        if let asset = assets.answer(path, ifNoneMatch: request.header("If-None-Match")) { return .answer(asset) }
        switch sources.closed(request) {
        case .unknownCaller: return .answer(refused(request, 401, \.unknownCaller, query))
        case .notPermitted: return .answer(refused(request, 403, \.notPermitted, query))
        case nil: break
        }
        guard let link = PageLink(path: path, query: query) else { return .answer(refused(request, 404, \.notFound, query)) }
        return make(link, request, query)
    }

    private func make(_ link: PageLink, _ request: borrowing HTTPRequest, _ query: [(name: String, value: String)]) -> HTTPReply {
        let maker = PageMaker(registry: registry, node: sources.picture(), frame: frame(request, link))
        let deadline = HTTPDoor.uptimeNanoseconds() + UInt64(Limits.consolePageMax.wholeMilliseconds) * 1_000_000
        let ticket = request.suspend(until: deadline, waiter: nil)
        if !thread.put({ ticket.complete(maker.answer(link)) }) {
            ticket.complete(refused(request, 503, \.busy, query, [HTTPHeader("Retry-After", "2")]))
        }
        return .later
    }

    private func frame(_ request: borrowing HTTPRequest, _ link: PageLink) -> Frame {
        let language = link.language ?? Language(acceptLanguage: request.header("Accept-Language"))
        return Frame(phrases: language.phrases, assets: assets, link: link)
    }

    private func refused(
        _ request: borrowing HTTPRequest, _ status: UInt16, _ refusal: (any Phrases) -> Refusal, _ query: [(name: String, value: String)],
        _ headers: [HTTPHeader] = []
    ) -> HTTPResponse {
        var link = PageLink(place: .overview)
        link.language = query.first { $0.name == "lang" }.flatMap { Language(rawValue: $0.value) }
        let frame = frame(request, link)
        let page = RefusalPage(frame: frame, refusal: refusal(frame.phrases))
        return HTTPResponse(status: status, contentType: .html, headers: headers + Protection.ofPages, body: .bytes(page.bytes()))
    }
}

extension PageLink {
    /// Nil if there is no such page. A query is read with patience: what is not understood counts as absent, since people edit addresses.
    init?(path: String, query: [(name: String, value: String)]) {
        if path == "/ui/" {
            place = .overview
        } else if path.hasPrefix("/ui/services/"), case let name = path.dropFirst(13), !name.isEmpty, name.utf8.count <= 64,
            !name.contains("/")
        {
            place = .service(String(name))
        } else {
            return nil
        }
        for (name, value) in query {
            switch name {
            case "q": search = String(value.prefix(Limits.consoleSearchBytesMax))
            case "show": show = Standing.Group(rawValue: value)
            case "page": page = min(max(1, Int(value) ?? 1), Limits.instancesMax)
            case "lang": language = Language(rawValue: value)
            case "tenant": tenant = value.utf8.count <= Limits.tenantBytesMax ? value : nil
            default: break
            }
        }
    }
}

/// One page to be made: a value that holds everything, so that it can be made on any thread.
struct PageMaker: Sendable {
    let registry: ServiceRegistry
    let node: NodePicture
    let frame: Frame

    func answer(_ link: PageLink) -> HTTPResponse {
        switch link.place {
        case .overview:
            return page(OverviewPage(frame: frame, node: node, services: services(link)).bytes())
        case .service(let name):
            do throws(StoreError) {
                guard let service = try registry.lookup(tenant: link.tenant ?? registry.defaultTenant, service: name),
                    let answer = try? JSONDocument.parse(service.body).root
                else {
                    let refusal = frame.phrases.notFound
                    let unknown = RefusalPage(
                        frame: frame, refusal: refusal, sentence: frame.phrases.unknownService(name), backTo: frame.phrases.allServices)
                    return page(unknown.bytes(), status: 404)
                }
                return page(
                    ServicePage(frame: frame, node: node, name: name, answer: answer, revision: service.revision).bytes())
            } catch {
                let failed = RefusalPage(
                    frame: frame, refusal: frame.phrases.notFound, sentence: "\(frame.phrases.panelFailed("\(error)"))",
                    backTo: frame.phrases.allServices)
                return page(failed.bytes(), status: 503)
            }
        }
    }

    private func services(_ link: PageLink) -> Result<ServicesPicture, StoreError> {
        do throws(StoreError) { return .success(try ServicesCamera.take(registry, link)) } catch { return .failure(error) }
    }

    private func page(_ bytes: [UInt8], status: UInt16 = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: .html, headers: Protection.ofPages, body: .bytes(bytes))
    }
}
