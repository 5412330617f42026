import Support

runServer(open: { port throws(Errno) in try openListener(port: port) }, serve: serve)
