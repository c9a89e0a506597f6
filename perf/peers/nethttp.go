// Go's net/http on one processor. `nethttp PORT`
package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
)

func answer(writer http.ResponseWriter, body string) {
	writer.Header().Set("Content-Type", "text/plain")
	writer.Header().Set("Content-Length", strconv.Itoa(len(body)))
	io.WriteString(writer, body)
}

func main() {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400) // The more memory, the fewer collections.
	mux := http.NewServeMux()
	mux.HandleFunc("/name/", func(writer http.ResponseWriter, request *http.Request) {
		answer(writer, request.URL.Path[len("/name/"):])
	})
	mux.HandleFunc("/length", func(writer http.ResponseWriter, request *http.Request) {
		count, err := io.Copy(io.Discard, request.Body)
		if err != nil {
			return
		}
		answer(writer, strconv.FormatInt(count, 10))
	})
	mux.HandleFunc("/", func(writer http.ResponseWriter, request *http.Request) {
		answer(writer, "Hello world!")
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], mux))
}
