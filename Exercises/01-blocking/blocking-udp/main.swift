import Listening
import Support

runServer(open: openDatagramSocket, serve: serve)
