// page.hpp: the page of the ticker: one file, nothing loaded from elsewhere.
#pragma once

#include <string_view>

inline constexpr std::string_view page = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ticker</title>
<style>
  :root { color-scheme: light dark; --line: #8884; --up: #1a9c5b; --down: #d1495b; }
  body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 10vh auto; padding: 0 1.5rem; }
  h1 { font-size: 1.2rem; font-weight: 600; margin: 0; }
  #price { font: 600 3.2rem/1.2 ui-monospace, monospace; letter-spacing: -.03em; }
  .up { color: var(--up); } .down { color: var(--down); }
  svg { width: 100%; height: 7rem; border-block: 1px solid var(--line); margin: 1rem 0; }
  polyline { fill: none; stroke: currentColor; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
  #state { opacity: .65; font-size: .9rem; }
</style>
</head>
<body>
<h1>One share of Millrace</h1>
<div id="price">&hellip;</div>
<svg viewBox="0 0 60 100" preserveAspectRatio="none" aria-hidden="true"><polyline></polyline></svg>
<div id="state" role="status">connecting</div>
<script>
  const price = document.getElementById("price"), state = document.getElementById("state");
  const line = document.querySelector("polyline"), seen = [];
  const events = new EventSource("prices");
  events.addEventListener("price", (event) => {
    const { value, watching } = JSON.parse(event.data);
    price.className = value < seen.at(-1) ? "down" : "up";
    price.textContent = value.toFixed(2);
    seen.push(value);
    if (seen.length > 60) seen.shift();
    const low = Math.min(...seen), span = Math.max(...seen) - low || 1;
    line.setAttribute("points", seen.map((v, i) => `${i},${95 - 90 * (v - low) / span}`).join(" "));
    state.textContent = `tick ${event.lastEventId}, ${watching} watching`;
  });
  events.onerror = () => { state.textContent = "the connection is lost; trying again"; };
</script>
</body>
</html>
)html";
