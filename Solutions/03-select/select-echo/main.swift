import Support

// The listener is announced; the UDP socket has the same port number.
var datagrams: CInt = -1
runServer(
    open: { port throws(Errno) in
        let listener: CInt
        (listener, datagrams) = try openListenerAndDatagramSocket(port: port)
        return listener
    },
    serve: { listener throws(Errno) in try serve(listener, datagrams) })
