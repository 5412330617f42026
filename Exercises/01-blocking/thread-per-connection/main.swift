import Listening
import Support

runServer(open: openListener, serve: serve)
