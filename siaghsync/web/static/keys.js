// What makes deciding quicker where scripts run: j and k go to the next and the one before, Enter opens; a number is copied.
"use strict";
document.addEventListener("keydown", (event) => {
  const step = { j: 1, k: -1 }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]), select")) return;
  const turn = document.querySelector(step > 0 ? "a[rel=next]" : "a[rel=prev]");
  if (turn && document.querySelector("[data-one]")) return turn.click();
  const rows = [...document.querySelectorAll("a[data-item]")];
  const at = rows.indexOf(document.activeElement);
  const next = rows[at < 0 ? 0 : Math.min(Math.max(at + step, 0), rows.length - 1)];
  if (next) next.focus();
});
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Browsers give no clipboard to a page that came by plain http, as in many offices; a selection can still be copied.
  const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await copy(button.dataset.copy);
    button.textContent = button.dataset.copied;
    button.focus({ preventScroll: true });
  });
}
