// page.hpp: the page of the chat. One file, nothing from elsewhere.
#pragma once

#include <string_view>

inline constexpr std::string_view page = R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Chat</title>
<style>
  :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); --accent: #2f6fde; }
  body { margin: 0 auto; max-width: 40rem; height: 100vh; display: flex; flex-direction: column;
         font: 1rem/1.5 system-ui, sans-serif; padding: 0 1rem; box-sizing: border-box; }
  header { display: flex; justify-content: space-between; align-items: baseline; border-bottom: 1px solid var(--line); }
  h1 { font-size: 1.1rem; margin: .8rem 0; }
  #state { opacity: .7; font-size: .9rem; }
  #lines { flex: 1; overflow-y: auto; list-style: none; margin: 0; padding: 1rem 0; }
  #lines li { margin: .25rem 0; overflow-wrap: anywhere; }
  #lines b { color: var(--accent); margin-right: .5rem; }
  #lines .note { opacity: .6; font-style: italic; }
  form { display: flex; gap: .5rem; padding: .8rem 0; border-top: 1px solid var(--line); }
  input { flex: 1; font: inherit; padding: .5rem .7rem; border: 1px solid var(--line); border-radius: .5rem; }
  button { font: inherit; padding: .5rem 1rem; border: 0; border-radius: .5rem; background: var(--accent); color: #fff; }
</style>
<header><h1>Chat</h1><span id="state" role="status">connecting</span></header>
<ul id="lines" aria-live="polite"></ul>
<form><input id="text" maxlength="500" autocomplete="off" aria-label="Your message" placeholder="Say something" autofocus>
<button>Send</button></form>
<script>
  const name = new URLSearchParams(location.search).get("name") || "guest-" + Math.floor(Math.random() * 1000);
  const state = document.getElementById("state"), lines = document.getElementById("lines");
  const text = document.getElementById("text");
  let socket, delay = 500;

  function add(line) {
    const item = document.createElement("li");
    if (line.name && line.text) {
      item.append(Object.assign(document.createElement("b"), {textContent: line.name}), line.text);
    } else {
      item.className = "note";
      item.textContent = line.text || line.name + " is here";
    }
    lines.append(item);
    if (lines.children.length > 500) lines.firstChild.remove();
    item.scrollIntoView();
  }

  function connect() {
    socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/chat");
    socket.onopen = () => { delay = 500; socket.send(name); };
    socket.onmessage = (event) => {
      const line = JSON.parse(event.data);
      state.textContent = name + ", " + line.present + (line.present === 1 ? " person here" : " people here");
      add(line);
    };
    socket.onclose = () => {
      state.textContent = "reconnecting";
      setTimeout(connect, delay);
      delay = Math.min(2 * delay, 10000);
    };
  }

  document.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    if (!text.value || socket.readyState !== WebSocket.OPEN) return;
    socket.send(text.value);
    text.value = "";
  };
  connect();
</script>
</html>
)html";
