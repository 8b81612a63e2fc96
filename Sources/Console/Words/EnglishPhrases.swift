import Domain

struct EnglishPhrases: Phrases {
    let language = Language.english

    func sentence(_ verdict: Verdict) -> HTML {
        let rest: HTML =
            switch verdict.others {
            case 0: "."
            case 1: "; one more matter stands below."
            default: "; \(verdict.others) more matters stand below."
            }
        switch verdict.finding {
        case .well(let services):
            switch services {
            case 0: return "This node is well: its services come from files only, and there is nothing to do\(rest)"
            case 1: return "This node is well: its one service is in touch, and there is nothing to do\(rest)"
            default: return "This node is well: all \(services) services are in touch, and there is nothing to do\(rest)"
            }
        case .empty:
            return "This node is well and no service has registered yet: start one, or register it with “posto register”\(rest)"
        case .unwell(.otherAlert, let message, let hint): return "This node is not well. \(message) \(hint)"
        case .unwell(let kind, _, _): return "This node is not well, because \(reason(kind)): \(advice(kind))\(rest)"
        case .strained(.otherAlert, let message, let hint): return "This node works, but reports: \(message) \(hint)"
        case .strained(let kind, _, _): return "This node works, but \(reason(kind)): \(advice(kind))\(rest)"
        case .trouble(1, _, let first): return "This node works, but \(first.html) is in trouble: open it to see what to do\(rest)"
        case .trouble(let services, let all, let first):
            return "This node works, but \(services) of \(all) services are in trouble: begin with \(first.html)\(rest)"
        case .watch(1, _, let first):
            return "This node works, but \(first.html) is late or warns: wait a minute, then open it\(rest)"
        case .watch(let services, let all, let first):
            return
                "This node works, but \(services) of \(all) services are late or warn: wait a minute, then begin with \(first.html)\(rest)"
        case .unreadable:
            return "This node answers, but its services cannot be read from the disk: look at the daemon’s log (journalctl -u posto)\(rest)"
        }
    }

    func word(_ mood: Mood) -> String {
        switch mood {
        case .well: "Well"
        case .attention: "Needs attention"
        case .trouble: "Not well"
        }
    }

    func reason(_ kind: Matter.Kind) -> String {
        switch kind {
        case .alert(let code):
            switch code {
            case .diskFull: "its disk is full and changes are refused"
            case .mapFull: "its store outgrew the room that was planned for it"
            case .reserve: "too little of the disk is kept in reserve for the store"
            case .budget: "its store has nearly used up its room"
            case .damagedInstances: "some instances cannot be read from the disk"
            case .leaseCopy: "leases cannot be copied to the disk"
            case .clockBehind: "the host’s clock is behind"
            case .salvaged: "its store was damaged, and what could be read was salvaged"
            case .lastGoodCopy: "its store was damaged, and it goes on from an older copy"
            case .beganEmpty: "its store was damaged, and it began with an empty one"
            case .evidence: "damaged files that were set aside take up room"
            case .cloned: "another node sends under its name, so its own sending has stopped"
            case .unreachable: "the centre cannot be reached, and what it should get waits here"
            case .deadLetters: "the centre has refused some records for good"
            }
        case .otherAlert: "it reports something"
        case .slowDisk(let milliseconds): "its disk takes \(Figure.text(milliseconds, in: language)) ms to store a change"
        case .memory(let percent): "\(Figure.text(percent, in: language)) % of the host’s memory is in use"
        case .processor(let percent): "it keeps \(Figure.text(percent, in: language)) % of the host’s processors busy"
        case .coldCache(let percent): "only \(Figure.text(percent, in: language)) % of the look-ups are answered from copies"
        }
    }

    func advice(_ kind: Matter.Kind) -> String {
        switch kind {
        case .alert(let code):
            switch code {
            case .diskFull: "free space on the disk of the state folder; the node goes on by itself"
            case .mapFull: "take a backup, restart the daemon, and report it with the log"
            case .reserve: "free space on the disk of the state folder, or lower store.size_max"
            case .budget: "raise store.size_max, or keep less in the streams"
            case .damagedInstances: "restart their services so that they register again, and have the disk looked at"
            case .leaseCopy: "free space on the disk of the state folder"
            case .clockBehind: "set the clock, or give the host a time server"
            case .salvaged, .lastGoodCopy: "have the disk looked at before you rely on it"
            case .beganEmpty: "restart the services so that they register again, and have the disk looked at"
            case .evidence: "move the sets of the folder “evidence” to another disk"
            case .cloned: "give one of the two another node.id and restart it; nothing is lost"
            case .unreachable: "look at the link; nothing is lost, and sending goes on by itself"
            case .deadLetters: "ask GET /api/v1/deadletters which and why, and tell those who sent them"
            }
        case .otherAlert: "see its own words"
        case .slowDisk: "look for what else writes to this disk, and at the disk’s health"
        case .memory: "close what this host does not need"
        case .processor: "look for who calls it so often"
        case .coldCache: "nothing is wrong; it is slower than it could be"
        }
    }

    let otherLanguage = "Português"
    let skipToState = "Skip to the state of the node"
    let sections = "Sections of this page"
    let refresh = "Refresh"
    let pictureOf = "Picture of"
    let pictureAge = "{age} old"
    let pictureIsOld = "This picture is old. Refresh the page; if that does not help, look whether the node is running."
    let connectionLost =
        "The connection to the node is lost; what you see is the last picture. Look at your network, or whether the node is running. It is tried again by itself."
    let developmentMode = "Development mode: every caller of this host is an administrator."
    func panelFailed(_ reason: String) -> String {
        "This part could not be shown (\(reason)). The others are right; try again in a moment."
    }

    let matters = "What needs attention"
    func word(_ level: NodePicture.Level) -> String {
        switch level {
        case .healthy: "Note"
        case .degraded: "Warning"
        case .unhealthy: "Problem"
        }
    }
    let whatToDo = "What to do"
    let theNodesWords = "In the node’s own words"

    let services = "Services"
    func serviceCount(_ services: Int, instances: Int) -> HTML {
        "\(Figure.data(services, id: "services-count", in: language)) \(services == 1 ? "service" : "services"), \(Figure.data(instances, id: "instances-count", in: language)) \(instances == 1 ? "instance" : "instances")"
    }
    func staticCount(_ count: Int) -> HTML { ", \(Figure.data(count, id: "statics-count", in: language)) from files" }
    let searchLabel = "Search by name or host"
    let search = "Search"
    let clearSearch = "Show all"
    let all = "All"
    func word(_ group: Standing.Group) -> String {
        switch group {
        case .trouble: "In trouble"
        case .attention: "Late or warning"
        case .well: "Well"
        }
    }
    func word(_ health: Health) -> String {
        switch health {
        case .unknown: "not probed"
        case .passing: "answers"
        case .warning: "warns"
        case .critical: "does not answer"
        }
    }
    func word(_ freshness: Freshness) -> String {
        switch freshness {
        case .fresh: "in touch"
        case .stale: "late"
        case .expired: "silent"
        }
    }
    func heard(_ age: HTML) -> HTML { "\(age) ago" }
    let fromAFile = "from a file"
    let nothingRegistered = "No service has registered yet. Start one, or register it with “posto register”."
    func nothingFound(_ search: String) -> HTML { "No name and no host contains “\(.foreign(search))”. Search for less of it." }
    let nothingInGroup = "There is none."
    func shown(_ first: Int, _ last: Int, of count: Int) -> HTML {
        "\(Figure.text(first, in: language)) to \(Figure.text(last, in: language)) of \(Figure.data(count, id: "matching-count", in: language))"
    }
    let pagesOfServices = "Pages of the list"
    let previous = "Previous"
    let next = "Next"

    let allServices = "All services"
    func sentence(_ service: ServiceVerdict) -> HTML {
        switch service {
        case .one(.silent, let name, _):
            "\(.foreign(name)) has gone silent: start it again on its host, and it comes back by itself."
        case .one(.failing, let name, let address):
            "\(.foreign(name)) does not answer at \(.foreign(address)): look whether its program runs, then wait ten seconds."
        case .one(.warning, let name, _): "\(.foreign(name)) works and warns of something: look at its own log."
        case .one(.late, let name, _): "\(.foreign(name)) is late with its heartbeat: wait a minute, and if it goes silent, start it again."
        case .one(.unchecked, let name, _): "\(.foreign(name)) is in touch, and there is nothing to do."
        case .one(.well, let name, _): "\(.foreign(name)) answers and is in touch, and there is nothing to do."
        case .several(let standing, let name, let troubled, let all) where standing.group == .trouble:
            "\(.foreign(name)): \(troubled) of \(all) instances are in trouble; look whether their programs run, the first one below first."
        case .several(let standing, let name, _, _) where standing.group == .attention:
            "\(.foreign(name)) works, but an instance is late or warns: wait a minute, then look at the first one below."
        case .several(_, let name, _, let all): "\(.foreign(name)) is in touch with all \(all) instances, and there is nothing to do."
        case .fromFile(let name):
            "\(.foreign(name)) stands in a file of this node, and nobody has registered under that name: nothing is known of how it is."
        }
    }
    func word(_ standing: Standing) -> String {
        switch standing {
        case .silent: "silent"
        case .failing: "does not answer"
        case .warning: "warns"
        case .late: "late"
        case .unchecked: "in touch"
        case .well: "answers"
        }
    }
    func unknownService(_ name: String) -> HTML {
        "No service “\(.foreign(name))” is registered here: it may have left, or be called otherwise; look in the list."
    }
    let address = "Address"
    let tenant = "Tenant"
    let health = "Probe"
    let heartbeat = "Heartbeat"
    let healthEndpoint = "Probed at"
    let serviceVersion = "Version"
    let transport = "Protocol"
    let weight = "Weight"
    let leaseLength = "Lease"
    let leaseEnds = "Lease ends"
    let registeredAt = "Registered"
    let revision = "Revision"
    let tags = "Tags"
    let capabilities = "Capabilities"
    let metadata = "Metadata"
    func moreInstances(_ count: Int) -> String { "\(count) more instances are not shown; these are the worst." }

    let uplink = "Sending to the centre"
    func word(_ link: SinkPicture.Link) -> String {
        switch link {
        case .sending: "connected"
        case .trying: "trying again"
        case .waiting: "no connection"
        }
    }
    let waitingRecords = "Waiting to be sent"
    let oldestWaiting = "Oldest of it"
    let lastAck = "Last receipt"
    let drainEstimate = "All sent in about"
    let deadLetters = "Refused by the centre"
    let never = "never"
    let nothingWaits = "nothing"
    let nobodyKnows = "not known"
    let noSinks = "Nothing is known of the uplink yet."

    let node = "This node"
    let nodeID = "Node"
    let site = "Site"
    let noSite = "not named"
    let version = "Version of Posto"
    let epoch = "Epoch"
    let runningFor = "Running for"
    let storeUsed = "Store used"
    let diskFree = "Disk free"
    let commitTime = "Storing a change"
    let processor = "Processors used"
    let memory = "Memory in use"

    let unknownCaller = Refusal(
        title: "Who are you?", sentence: "This node does not know you, so it shows you nothing: open this page on the host itself.",
        advice: """
            <p>From another computer, carry the page over SSH and open <span class="code">http://127.0.0.1:8500/ui/</span> there:</p>
            <p class="code">ssh -L 8500:127.0.0.1:8500 <var>user</var>@<var>host</var></p>
            <p>If you are on the host and still read this, the administrator has closed loopback (<span class="code">access.loopback</span>).</p>
            """)
    let notPermitted = Refusal(
        title: "Not permitted",
        sentence: "You may not see this page: ask the administrator of this node to let callers of this host act as services.",
        advice: """
            <p>The setting is <span class="code">access.loopback = "service"</span> in <span class="code">/etc/posto/posto.toml</span>, \
            then <span class="code">systemctl reload posto</span>.</p>
            """)
    let notFound = Refusal(
        title: "Not found", sentence: "There is no such page: go back to the state of the node.", advice: "")
    let methodNotAllowed = Refusal(
        title: "Pages are only read", sentence: "This page can only be read: changes are made by the command line or the HTTP interface.",
        advice: "")
    let busy = Refusal(
        title: "Busy", sentence: "The node has more pages to make than it takes: try again in a few seconds.", advice: "")
}
