import Domain

/// Every sentence of the pages. A language that lacks one does not compile.
///
/// Sentences say what is, then what to do. They speak to a person who may never have heard of a registry.
package protocol Phrases: Sendable {
    var language: Language { get }

    // MARK: The state of the node

    /// The one sentence: how it is, why, what to do next.
    func sentence(_ verdict: Verdict) -> HTML
    func word(_ mood: Mood) -> String
    /// Completes "it works, but …".
    func reason(_ kind: Matter.Kind) -> String
    /// What to do about it, as an instruction without a capital and without a full stop.
    func advice(_ kind: Matter.Kind) -> String

    // MARK: Frame

    var otherLanguage: String { get }
    var skipToState: String { get }
    var sections: String { get }
    var refresh: String { get }
    /// Before the time at which the picture was taken.
    var pictureOf: String { get }
    /// `{age}` stands for what `age` units say.
    var pictureAge: String { get }
    var pictureIsOld: String { get }
    var connectionLost: String { get }
    var developmentMode: String { get }
    /// A panel that could not be made.
    func panelFailed(_ reason: String) -> String

    // MARK: Matters

    var matters: String { get }
    func word(_ level: NodePicture.Level) -> String
    var whatToDo: String { get }
    var theNodesWords: String { get }

    // MARK: Services

    var services: String { get }
    func serviceCount(_ services: Int, instances: Int) -> HTML
    func staticCount(_ count: Int) -> HTML
    var searchLabel: String { get }
    var search: String { get }
    var clearSearch: String { get }
    var all: String { get }
    func word(_ group: Standing.Group) -> String
    func word(_ health: Health) -> String
    func word(_ freshness: Freshness) -> String
    /// How long ago the last heartbeat came; `age` is written already.
    func heard(_ age: HTML) -> HTML
    var fromAFile: String { get }
    var nothingRegistered: String { get }
    func nothingFound(_ search: String) -> HTML
    var nothingInGroup: String { get }
    func shown(_ first: Int, _ last: Int, of count: Int) -> HTML
    var pagesOfServices: String { get }
    var previous: String { get }
    var next: String { get }

    // MARK: One service

    var allServices: String { get }
    func sentence(_ service: ServiceVerdict) -> HTML
    func word(_ standing: Standing) -> String
    func unknownService(_ name: String) -> HTML
    var address: String { get }
    var tenant: String { get }
    var health: String { get }
    var heartbeat: String { get }
    var healthEndpoint: String { get }
    var serviceVersion: String { get }
    var transport: String { get }
    var weight: String { get }
    var leaseLength: String { get }
    var leaseEnds: String { get }
    var registeredAt: String { get }
    var revision: String { get }
    var tags: String { get }
    var capabilities: String { get }
    var metadata: String { get }
    func moreInstances(_ count: Int) -> String

    // MARK: Uplink

    var uplink: String { get }
    func word(_ link: SinkPicture.Link) -> String
    var waitingRecords: String { get }
    var oldestWaiting: String { get }
    var lastAck: String { get }
    var drainEstimate: String { get }
    var deadLetters: String { get }
    var never: String { get }
    var nothingWaits: String { get }
    var nobodyKnows: String { get }
    var noSinks: String { get }

    // MARK: The node

    var node: String { get }
    var nodeID: String { get }
    var site: String { get }
    var noSite: String { get }
    var version: String { get }
    var epoch: String { get }
    var runningFor: String { get }
    var storeUsed: String { get }
    var diskFree: String { get }
    var commitTime: String { get }
    var processor: String { get }
    var memory: String { get }

    // MARK: Refusals

    var unknownCaller: Refusal { get }
    var notPermitted: Refusal { get }
    var notFound: Refusal { get }
    var methodNotAllowed: Refusal { get }
    var busy: Refusal { get }
}

/// A page that shows nothing but why, and what to do.
package struct Refusal: Sendable {
    let title: String
    let sentence: String
    let advice: HTML
}
