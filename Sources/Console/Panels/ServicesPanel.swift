import Domain
import Store

/// The services: how many are how, a search, and a page of the list.
struct ServicesPanel {
    let phrases: any Phrases
    let services: Result<ServicesPicture, StoreError>
    let link: PageLink

    func html() -> HTML {
        let summary: HTML
        let list: HTML
        switch services {
        case .success(let picture):
            summary = self.summary(picture)
            list = self.list(picture)
        case .failure(let error):
            summary = ""
            list = Panel.failed("\(error)", phrases)
        }
        return #"""
            <section id="services" class="panel" aria-labelledby="services-title">
            <h2 id="services-title">\#(phrases.services)</h2>
            <div id="services-summary" data-panel>
            \#(summary)
            </div>
            \#(form)
            <div id="services-list" data-panel>
            \#(list)
            </div>
            </section>
            """#
    }

    /// Outside of what the module replaces, so that nobody loses what they are typing.
    private var form: HTML {
        let hidden = [("show", link.show?.rawValue), ("lang", link.language?.rawValue)].compactMap { name, value in
            value.map { #"<input type="hidden" name="\#(name)" value="\#($0)">"# as HTML }
        }
        let clear: HTML? =
            link.search.isEmpty
            ? nil
            : #"<a class="button" href="\#(link.with { ($0.search, $0.page) = ("", 1) })">\#(phrases.clearSearch)</a>"#
        return #"""
            <form class="search" action="/ui/#services" method="get" role="search">
            <label for="q">\#(phrases.searchLabel)</label>
            <input id="q" type="search" name="q" value="\#(link.search)" maxlength="\#(Limits.consoleSearchBytesMax)" autocapitalize="none" autocomplete="off" spellcheck="false">
            \#(hidden)<button type="submit">\#(phrases.search)</button>
            \#(clear)
            </form>
            """#
    }

    private func summary(_ picture: ServicesPicture) -> HTML {
        let statics = picture.statics > 0 ? phrases.staticCount(picture.statics) : nil
        func group(_ group: Standing.Group?, _ word: String, _ count: Int) -> HTML {
            let target = link.with { ($0.show, $0.page) = (group, 1) } + "#services"
            let current: HTML? = link.show == group ? #" aria-current="true""# : nil
            let mark = count > 0 ? group.map { Frame.mark(Mood($0)) } : nil
            let mood = count > 0 ? group.map { Mood($0).rawValue } ?? "" : ""
            return #"""
                <li><a class="group \#(mood)" href="\#(target)"\#(current)><span class="label">\#(mark)\#(word)</span> \#(Figure.data(count, id: "count-\(group?.rawValue ?? "all")", in: phrases.language))</a></li>

                """#
        }
        return #"""
            <p class="quiet">\#(phrases.serviceCount(picture.services, instances: picture.instances))\#(statics)</p>
            <ul class="groups">
            \#(group(nil, phrases.all, picture.total))\#(Standing.Group.allCases.map { group($0, phrases.word($0), picture.count(of: $0)) })</ul>
            """#
    }

    private func list(_ picture: ServicesPicture) -> HTML {
        guard picture.total > 0 else { return #"<p class="empty">\#(phrases.nothingRegistered)</p>"# }
        guard picture.matching > 0 else {
            let why: HTML = link.search.isEmpty ? "\(phrases.nothingInGroup)" : phrases.nothingFound(link.search)
            return #"<p class="empty">\#(why)</p>"#
        }
        let asksForNothing = link.search.isEmpty && link.show == nil && picture.page == 1
        let trouble: HTML? =
            asksForNothing && !picture.inTrouble.isEmpty && picture.pages > 1
            ? #"""
            <h3>\#(phrases.word(Standing.Group.trouble))</h3>
            <ul class="rows">
            \#(picture.inTrouble.map(row))</ul>
            <h3>\#(phrases.all)</h3>

            """# : nil
        let first = (picture.page - 1) * Limits.consoleRowsMax + 1
        return #"""
            \#(trouble)<ul class="rows" id="rows">
            \#(picture.rows.map(row))</ul>
            <p class="quiet">\#(phrases.shown(first, first + picture.rows.count - 1, of: picture.matching))</p>
            \#(pages(picture))
            """#
    }

    private func row(_ row: ServicesPicture.Row) -> HTML {
        let target = PageLink(place: .service(row.service), tenant: row.tenant, language: link.language).target
        let tenant: HTML? = row.tenant.map { " · \(.foreign($0))" }
        return #"""
            <li class="row" data-health="\#("\(row.health.name)")" data-freshness="\#("\(row.freshness.name)")"><a href="\#(target)">
            <span class="name">\#(.foreign(row.service))</span>
            <span class="where">\#(.foreign(HostPort.text(row.host, row.port)))\#(tenant)</span>
            \#(Panel.badges(row.health, row.freshness, isStatic: row.isStatic, ageSeconds: row.ageSeconds, phrases))
            </a></li>

            """#
    }

    private func pages(_ picture: ServicesPicture) -> HTML? {
        guard picture.pages > 1 else { return nil }
        func step(_ word: String, to page: Int, _ relation: String) -> HTML {
            guard (1...picture.pages).contains(page) else { return #"<span class="button off">\#(word)</span>"# }
            return #"<a class="button" rel="\#(relation)" href="\#(link.with { $0.page = page })#services">\#(word)</a>"#
        }
        return #"""
            <nav class="pages" aria-label="\#(phrases.pagesOfServices)">
            \#(step(phrases.previous, to: picture.page - 1, "prev"))
            <span>\#(Figure.text(picture.page, in: phrases.language)) / \#(Figure.text(picture.pages, in: phrases.language))</span>
            \#(step(phrases.next, to: picture.page + 1, "next"))
            </nav>
            """#
    }
}
