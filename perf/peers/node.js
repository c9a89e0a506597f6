// Node's own HTTP server, one process, without a framework. `node node.js PORT`
const http = require("http");
const greeting = "Hello world!";

function answer(response, body) {
  response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": body.length });
  response.end(body);
}

const server = http.createServer((request, response) => {
  if (request.url === "/length") {
    let bytes = 0;
    request.on("data", (part) => (bytes += part.length));
    request.on("end", () => answer(response, String(bytes)));
  } else if (request.url.startsWith("/name/")) {
    answer(response, request.url.slice("/name/".length));
  } else {
    answer(response, greeting);
  }
});
server.keepAliveTimeout = 0;
server.headersTimeout = 0;
server.requestTimeout = 0;
server.listen(Number(process.argv[2]), "127.0.0.1", 4096);
