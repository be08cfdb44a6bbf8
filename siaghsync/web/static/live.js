// Where a part of a page changes by itself: what was open stays open, the focus stays where it was, and what is read out is only news.
"use strict";
const shown = {};
let kept = null;

function named(part, selector) {
  const times = {};
  const name = (each) => each.id || each.getAttribute("href") || each.textContent;
  return [...part.querySelectorAll(selector)].map((each) => {
    times[name(each)] = (times[name(each)] || 0) + 1;
    return [`${times[name(each)]} ${name(each)}`, each];
  });
}

function news() {
  return [...document.querySelectorAll("#live .state h2")].map((each) => each.textContent.trim()).join(" ");
}

let told = news();
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const part = detail.target, answer = detail.xhr.responseText;
  if (shown[part.id] === answer) detail.shouldSwap = false;
  shown[part.id] = answer;
  const focused = named(part, "a, summary, button, input").find(([, each]) => each === document.activeElement);
  const open = named(part, "summary").filter(([, each]) => each.parentElement.open);
  kept = { id: part.id, focused: focused && focused[0], open: open.map(([name]) => name) };
});
document.addEventListener("htmx:afterSwap", () => {
  const part = kept && document.getElementById(kept.id);
  if (!part) return;
  for (const [name, each] of named(part, "summary")) if (kept.open.includes(name)) each.parentElement.open = true;
  for (const [name, each] of named(part, "a, summary, button, input")) if (name === kept.focused) each.focus({ preventScroll: true });
  const now = news();
  if (now !== told) document.getElementById("told").textContent = now;
  told = now;
});
