import Listening
import Support

runServer(
    options: ["--room"],
    open: { port, options throws(Errno) in
        let room = Room(directory: options.required("--room"))
        try room.prepare()
        return ([try openListener(port: port)], room)
    },
    serve: { sockets, room throws(Errno) in try serve(sockets[0], room) })
