// fasthttp on one processor. `fasthttp PORT`
package main

import (
	"bytes"
	"log"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/valyala/fasthttp"
)

var (
	name     = []byte("/name/")
	length   = []byte("/length")
	greeting = []byte("Hello world!")
)

func answer(context *fasthttp.RequestCtx) {
	path := context.Path()
	switch {
	case bytes.HasPrefix(path, name):
		context.Write(path[len(name):])
	case bytes.Equal(path, length):
		context.Write(fasthttp.AppendUint(nil, len(context.PostBody())))
	default:
		context.Write(greeting)
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400)
	server := fasthttp.Server{
		Handler:                       answer,
		NoDefaultServerHeader:         true,
		DisableHeaderNamesNormalizing: true,
	}
	log.Fatal(server.ListenAndServe("127.0.0.1:" + os.Args[1]))
}
