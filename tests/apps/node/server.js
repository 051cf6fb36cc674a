// A Node app: plain http, a session cookie in Express's manner, and a WebSocket echo.
"use strict";
const http = require("node:http");
const { WebSocketServer } = require("ws");

const server = http.createServer((request, response) => {
  const url = new URL(request.url, "http://app");
  if (url.pathname === "/") {
    response.setHeader("Set-Cookie", ["connect.sid=s%3Aabc.def; Path=/; HttpOnly", "theme=dark; Path=/"]);
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><title>Node</title><p id="state">idle</p><script>
      async function talk(count) {
        const socket = new WebSocket("wss://" + location.host + "/socket");
        socket.binaryType = "arraybuffer";
        await new Promise((ok, no) => { socket.onopen = ok; socket.onerror = () => no(new Error("no socket")); });
        const answers = [];
        for (let number = 0; number < count; number++) {
          const answer = new Promise((ok) => { socket.onmessage = (event) => ok(event.data); });
          socket.send("message " + number);
          answers.push(await answer);
        }
        const closed = new Promise((ok) => { socket.onclose = (event) => ok(event.code); });
        socket.close(1000);
        return { answers, code: await closed };
      }
    </script>`);
  } else if (url.pathname === "/echo") {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ headers: request.headers, raw: request.rawHeaders }));
  } else if (url.pathname === "/trailers") {
    response.writeHead(200, { Trailer: "X-Digest", "Content-Type": "text/plain" });
    response.write("body");
    response.addTrailers({ "X-Digest": "sum" });
    response.end();
  } else if (url.pathname === "/events") {
    response.setHeader("Content-Type", "text/event-stream");
    response.write("data: " + (request.headers.cookie || "none") + "\n\n");
  } else if (url.pathname === "/picture") {
    // As wide as there are cookies.
    const width = (request.headers.cookie || "").split(";").length;
    response.setHeader("Content-Type", "image/svg+xml");
    response.end(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="1"></svg>`);
  } else if (url.pathname === "/form") {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () => {
      const body = Buffer.concat(pieces);
      response.setHeader("Content-Type", "text/html");
      response.end(`<!doctype html><p id="cookie">${request.headers.cookie || "none"}<p id="length">${body.length}<p id="end">${body.subarray(-9)}`);
    });
  } else {
    response.statusCode = 404;
    response.end();
  }
});

const sockets = new WebSocketServer({ server, path: "/socket" });
sockets.on("connection", (socket, request) => {
  socket.on("message", (data, binary) => {
    const text = data.toString();
    if (text === "headers") socket.send(JSON.stringify(request.headers));
    else socket.send(data, { binary });
  });
});

server.listen(Number(process.env.PORT), "127.0.0.1", () => console.error("listening on " + process.env.PORT));
