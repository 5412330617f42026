import Registry
import XCTest

/// What a check demands, the contract says; and what the contract says, a check looks at.
final class ContractTests: XCTestCase {
    /// What the TCP echo servers share, and the link by which one of them takes it over.
    private static let shared = (
        document: "chapters/01-blocking.md", heading: "## The contract of every echo server",
        link: "01-blocking.md#the-contract-of-every-echo-server"
    )

    func testEachCheckIsPromisedAndEachPromiseIsChecked() throws {
        for exercise in Course.exercises {
            let methods = Set(exercise.checks.map(\.method))
            let items = try items(of: exercise)
            for item in items { check(item, of: exercise.id, against: methods) }
            let promised = Set(items.flatMap(\.demands).flatMap(\.methods))
            for check in exercise.checks where !promised.contains(check.method) {
                XCTFail(
                    "no sentence of the contract of \(exercise.id) is about \(check.method): "
                        + check.title)
            }
        }
    }

    /// A name that is nobody's check, or an exercise that is none, says nothing.
    func testTheSharedContractNamesWhatThereIs() throws {
        let methods = Set(Course.exercises.flatMap(\.checks).map(\.method))
        let ids = Set(Course.exercises.map(\.id))
        for item in try sharedItems() {
            let demanded = Set(item.demands.flatMap(\.methods))
            XCTAssertFalse(demanded.isEmpty, "\(item.place): no check looks at this")
            XCTAssertEqual(demanded.subtracting(methods), [], "\(item.place): no such checks")
            let excepted = Set(item.exceptions + item.demands.flatMap(\.missing))
            XCTAssertEqual(excepted.subtracting(ids), [], "\(item.place): no such exercises")
        }
    }

    func testEachTCPEchoServerTakesTheSharedContract() throws {
        let takers = try Course.exercises.filter(takesTheSharedContract).map(\.id)
        XCTAssertEqual(
            takers,
            [
                "blocking-tcp", "thread-per-connection", "nonblocking-tcp", "select-echo",
                "pselect-drain", "poll-echo", "epoll-echo", "epoll-edge",
            ])
    }

    private func check(_ item: Contract.Item, of id: String, against methods: Set<String>) {
        let due = item.demands.filter { !$0.missing.contains(id) }
        XCTAssertFalse(due.isEmpty, "\(item.place): no check of \(id) looks at this")
        for demand in due {
            let names = demand.methods.joined(separator: " or ")
            XCTAssertFalse(
                methods.isDisjoint(with: demand.methods), "\(item.place): \(id) has no \(names)")
        }
        for demand in item.demands where demand.missing.contains(id) {
            let there = methods.intersection(demand.methods)
            XCTAssertEqual(there, [], "\(item.place): \(id) has this by now: drop its “(not …)”")
        }
    }

    /// What the exercise's own contract promises, and what the shared one promises of it.
    private func items(of exercise: Exercise) throws -> [Contract.Item] {
        let own = try Contract(of: exercise).items
        let taken = try takesTheSharedContract(exercise) ? sharedItems() : []
        return own + taken.filter { !$0.exceptions.contains(exercise.id) }
    }

    private func sharedItems() throws -> [Contract.Item] {
        try Contract(in: Self.shared.document, heading: Self.shared.heading).items
    }

    private func takesTheSharedContract(_ exercise: Exercise) throws -> Bool {
        try Contract(of: exercise).text.contains(Self.shared.link)
    }
}
