// SPDX-License-Identifier: MIT

import CLaunch
import Glibc

/// A request on its way to the tracing thread, and the answer on its way back.
final class Launched: @unchecked Sendable {
    let request: launch_request
    private var answer: (Int32, CInt) = (-1, 0)
    private let done = Gate()

    init(_ request: launch_request) { self.request = request }

    func finish(_ pid: Int32, _ reason: CInt) {
        answer = (pid, reason)
        done.open()
    }

    func wait() -> (pid: Int32, reason: CInt) {
        done.wait()
        return answer
    }
}

/// Runs `body` on a thread of its own.
func spawn(_ body: @escaping @Sendable () -> Void) {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { argument in
            if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
}

/// Lets one thread wait until another says so. See sem_overview(7).
final class Gate: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func open() { sem_post(semaphore) }

    func wait() { while sem_wait(semaphore) == -1 {} }
}
