import Support

let room = Room.fromArguments()
runServer(
    open: { port throws(Errno) in
        try room.prepare()
        return try openListener(port: port)
    },
    serve: { listener throws(Errno) in try serve(listener, room) })
