import Domain
import Glibc
import Registry
import Store
import TestSupport
import Testing

@testable import Daemon

@Suite("what is done by the clock")
struct LifeTests {
    private func at(_ seconds: Int64) -> Uptime { Uptime(milliseconds: seconds * 1_000) }

    @Test("each duty comes at its first time and then once a period, however late the turns are")
    func schedule() {
        var schedule = Schedule()
        var counts: [Schedule.Duty: Int] = [:]
        #expect(Set(schedule.take(now: at(100), started: at(100))) == [.copyBoard, .readFigures, .sampleSystem, .retain])
        #expect(schedule.take(now: at(100), started: at(100)).isEmpty)
        for second in Int64(1)...3_600 {
            for duty in schedule.take(now: at(100 + second), started: at(100)) { counts[duty, default: 0] += 1 }
        }
        for duty in Schedule.Duty.allCases where duty != .keepLastGood {
            #expect(counts[duty] == Int(3_600 / duty.period.components.seconds), "\(duty)")
        }
        #expect(counts[.keepLastGood] == 1)
        // A turn that is an hour late does each duty once.
        let late = schedule.take(now: at(100 + 7_200 + 3), started: at(100))
        #expect(late.count == Set(late).count && late.count == Schedule.Duty.allCases.count - 1)
    }

    @Test("a step of the wall clock of a minute or more, either way, costs a day of trust; drift does not")
    func clockWatch() {
        let floor = SystemTime.buildFloor.milliseconds
        func wall(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: floor + seconds * 1_000) }
        let built = TimeFloor(saved: wall(90_000), uptime: at(0))
        var watch = ClockWatch(wall: wall(91_000), uptime: at(0), floor: built)
        #expect(watch.isTrusted(wall: wall(91_000), uptime: at(0), floor: built))
        // Half a second slow each fifteen, for an hour.
        for turn in Int64(1)...240 {
            let now = Timestamp(milliseconds: wall(91_000).milliseconds + turn * 14_500)
            #expect(watch.read(wall: now, uptime: at(turn * 15)) == nil)
        }
        for step: Int64 in [60, -60, 86_400 * 365 * 20] {
            var watch = ClockWatch(wall: wall(100_000), uptime: at(0), floor: built)
            #expect(watch.read(wall: wall(100_015), uptime: at(15)) == nil)
            #expect(watch.read(wall: wall(100_030 + step), uptime: at(30)) == .seconds(step))
            #expect(!watch.isTrusted(wall: wall(100_030 + step), uptime: at(30), floor: built))
            #expect(!watch.isTrusted(wall: wall(100_000 + step), uptime: at(30 + 86_399), floor: built))
            #expect(watch.isTrusted(wall: wall(186_430 + step), uptime: at(30 + 86_400), floor: built))
        }
        var small = ClockWatch(wall: wall(91_000), uptime: at(0), floor: built)
        #expect(small.read(wall: wall(91_074), uptime: at(15)) == nil)
        // Before the software was built no clock is right.
        #expect(!small.isTrusted(wall: Timestamp(milliseconds: 0), uptime: at(15), floor: built))
    }

    /// What a start finds: the floor that was saved, a clock that shows something, and whether somebody disciplines it.
    @Test("a start trusts the clock only if it is not behind the floor; the floor never goes back, and leases depend on the boot alone")
    func timeFloor() {
        let minute: Int64 = 60, day: Int64 = 86_400, year: Int64 = 365 * 86_400
        let saved = Timestamp(milliseconds: SystemTime.buildFloor.milliseconds + 100 * day * 1_000)
        func shifted(_ seconds: Int64) -> Timestamp { saved + .seconds(seconds) }
        var cases = 0
        for isSynchronized in [true, false] {
            for downtime in [0, minute, day, 30 * day] {
                // By how much the clock differs from the truth.
                for error in [-100 * year, -10 * year, -40 * day, -2 * day, -2 * minute, -30, 0, 30, day, 10 * year] {
                    let wall = shifted(downtime + error)
                    for (boot, isExact) in [(BoardRecovery.Boot.same, true), (.other, false)] {
                        cases += 1
                        var floor = TimeFloor(saved: saved, uptime: at(5))
                        let watch = ClockWatch(wall: wall, uptime: at(5), floor: floor)
                        let isTrusted = watch.isTrusted(wall: wall, uptime: at(5), floor: floor)
                        let apart = downtime + error
                        #expect(isTrusted == (-minute...day).contains(apart), "\(downtime) \(error)")
                        #expect(floor.accepts(wall) == (apart >= -minute))
                        // A day later it is believed, unless it is behind.
                        let later = wall + .seconds(day)
                        #expect(watch.isTrusted(wall: later, uptime: at(5 + day), floor: floor) == (apart + day >= -minute))
                        floor.read(wall: wall, uptime: at(20), isSynchronized: isSynchronized, isSteady: watch.isSteady(uptime: at(20)))
                        #expect(floor.time >= saved && floor.time >= SystemTime.buildFloor)
                        let expected =
                            isSynchronized ? max(saved, wall) : shifted(15)
                        #expect(floor.time == expected, "\(downtime) \(error) \(isSynchronized)")
                        // A clock that nobody disciplines moves nothing, however far ahead it is: it cannot poison the next start.
                        if !isSynchronized { #expect(floor.time == shifted(15)) }
                        let recovery = BoardRecovery.decide(board: .valid(boot: boot, clockHolds: true), copy: .none, now: at(5))
                        #expect((recovery == .exact) == isExact)
                    }
                }
            }
        }
        #expect(cases == 160)
        // Nothing saved, or something from before this version was built.
        for old in [nil, Timestamp(milliseconds: 0)] as [Timestamp?] {
            #expect(TimeFloor(saved: old, uptime: at(0)).time == SystemTime.buildFloor)
        }
    }

    @Test("a floor that a wrong time server set stands still under a right one until time has passed it; uptime that goes back is no time")
    func floorHeals() {
        let start = SystemTime.buildFloor
        var floor = TimeFloor(saved: start + .seconds(7_200), uptime: at(0))
        for second in Int64(0)..<7_140 {
            let wall = start + .seconds(second)
            #expect(!floor.accepts(wall))
            floor.read(wall: wall, uptime: at(second), isSynchronized: true, isSteady: second % 2 == 0)
            #expect(floor.time == start + .seconds(7_200))
        }
        #expect(floor.accepts(start + .seconds(7_140)))
        floor.read(wall: start + .seconds(90_000), uptime: at(7_200), isSynchronized: true, isSteady: false)
        #expect(floor.time == start + .seconds(7_200), "a step is not believed at once, whoever made it")
        floor.read(wall: start + .seconds(7_300), uptime: at(7_300), isSynchronized: true, isSteady: true)
        #expect(floor.time == start + .seconds(7_300))
        floor.read(wall: start, uptime: at(10), isSynchronized: false, isSteady: false)
        #expect(floor.time == start + .seconds(7_300))
    }

    @Test("a slice at a time; the next after three commits of others, or at once when nobody waits")
    func slicePace() {
        var pace = SlicePace()
        #expect(pace.mayBegin(commits: 0, queued: 0) && pace.mayBegin(commits: 0, queued: 9))
        pace.began()
        #expect(!pace.mayBegin(commits: 100, queued: 0))
        pace.ended(commits: 10)
        #expect(pace.mayBegin(commits: 10, queued: 0))
        for commits in UInt64(10)...12 { #expect(!pace.mayBegin(commits: commits, queued: 1)) }
        #expect(pace.mayBegin(commits: 13, queued: 1))
    }

    @Test("the epoch after a repair is above every one that was used")
    func epochs() {
        func lowest(_ stored: [UInt32], _ openings: [StoreOpening]) -> UInt32 { NodeEpoch.lowest(stored: stored, openings: openings) }
        var report = SalvageReport()
        report.epoch = 5
        #expect(lowest([0, 0], [.sound, .sound]) == 1)
        #expect(lowest([4, 4], [.sound, .sound]) == 4)
        #expect(lowest([4, 5], [.sound, .salvaged(report, reason: "")]) == 5)
        #expect(lowest([0, 4], [.salvaged(report, reason: ""), .sound]) == 5)
        #expect(lowest([6, 4], [.lastGoodCopy(at: Timestamp(milliseconds: 0), reason: ""), .sound]) == 6)
        #expect(lowest([0, 4], [.empty(reason: ""), .sound]) > 4)
        #expect(lowest([0, 0], [.empty(reason: ""), .empty(reason: "")]) > Limits.epochsUnknownMax)
    }
}

@Suite("the folder of static registrations")
struct StaticFolderTests {
    private func folder(_ files: [(name: String, text: String)]) -> TemporaryFolder {
        let folder = TemporaryFolder()
        for (name, text) in files { folder.write(name, text) }
        return folder
    }

    private func read(_ path: String) -> (instances: [StaticInstance], faults: [StaticServices.Fault]) {
        StaticFolder.read(path, defaults: .init(tenant: "default", ttlSeconds: 60), now: Timestamp(milliseconds: 0))
    }

    private func registration(_ service: String, more: String = "") -> String {
        #"{"service_name":"\#(service)","host":"10.0.0.1","port":8080,"health_endpoint":"/health"\#(more)}"#
    }

    @Test("what is right is taken, what is wrong is told with its file and line")
    func mixed() {
        let folder = folder([
            ("10-one.json", registration("svc-a")), ("20-two.json", "[\n" + registration("svc-b") + ",\n" + registration("X") + "\n]"),
            ("30-bad.json", "{\n\n,"), ("40.txt", "no"), (".hidden.json", "no"), ("50-empty.json", ""),
        ])
        let (instances, faults) = read(folder.path)
        #expect(instances.map(\.service) == ["svc-a", "svc-b"])
        #expect(faults.map { String($0.file.split(separator: "/").last!) } == ["20-two.json", "30-bad.json", "50-empty.json"])
        #expect(faults[0].line == 3 && faults[0].message.hasPrefix("service_name: ") && faults[1].line == 3)
    }

    @Test("the same instance twice is a fault, not two instances")
    func duplicates() {
        let folder = folder([
            ("1.json", registration("svc-a")),
            ("2.json", "[" + registration("svc-a") + "," + registration("svc-a", more: #","id":"other""#) + "]"),
        ])
        let (instances, faults) = read(folder.path)
        #expect(instances.count == 2 && Set(instances.map(\.id)).count == 2)
        #expect(faults.count == 1 && faults[0].file.hasSuffix("2.json"))
    }

    @Test("pipes and folders among the files do not hold the start; a missing folder is empty, a file in its place is a fault")
    func oddities() {
        let folder = folder([("1.json", registration("svc-a"))])
        mkfifo(folder.file("0.json"), 0o600)
        let (instances, faults) = read(folder.path)
        #expect(instances.count == 1 && faults.count == 1)
        #expect(read(folder.file("nowhere")).instances.isEmpty && read(folder.file("nowhere")).faults.isEmpty)
        #expect(read(folder.file("1.json")).faults.count == 1)
    }
}
