import Support

runServer(open: makeListener, serve: serve)
