import Glibc
import Support

/// Starts a thread that runs `body` and then ends.
///
/// The kernel frees a thread that has ended, but the C library keeps its stack and its result until
/// somebody asks for them with pthread_join(3), or until it is told with pthread_detach(3) that
/// nobody will. Exactly one of the two is the caller's duty.
/// - Returns: The thread, for pthread_detach or pthread_join.
/// - Throws: `EAGAIN` if there is no room for another thread. See pthread_create(3).
func createThread(_ body: @escaping @Sendable () -> Void) throws(Errno) -> pthread_t {
    // A C function cannot capture anything, so the closure travels as its one argument, in a box.
    let box = Unmanaged.passRetained(Box(body))
    var thread = pthread_t()
    let error = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    guard error == 0 else {
        box.release()
        // The pthread calls return the number and leave errno alone.
        throw Errno("pthread_create", number: error)
    }
    return thread
}

private final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
