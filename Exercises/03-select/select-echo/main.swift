import Listening
import Support

// The listener is announced; the UDP socket has the same port number.
runServer(
    open: { port, _ throws(Errno) in (try openListenerAndDatagramSocket(port: port), ()) },
    serve: { sockets, _ throws(Errno) in try serve(sockets[0], sockets[1]) })
