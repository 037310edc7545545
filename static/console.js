/* What HTML cannot do by itself. Every screen works without this file. */
"use strict";

document.documentElement.classList.add("js");

const announce = (text) => {
  const region = document.getElementById("announce");
  if (region) region.textContent = text;
};

/* Copy buttons: data-copy holds what to copy, or data-copy-from the id of the element whose text it is. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const source = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
  const words = document.getElementById("announce").dataset;
  try {
    await navigator.clipboard.writeText(source ? source.textContent.trim() : button.dataset.copy);
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1500);
    announce(words.copied);
  } catch (error) {
    announce(words.failed);
  }
});

/* Menus close on a click elsewhere and on Escape. */
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = event.target.closest?.("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
    return;
  }
  const tab = event.target.closest?.("[role=tab]");
  if (tab) return moveTab(event, tab);
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = document.querySelector(`[data-hotkey="${CSS.escape(event.key)}"]`);
  if (field) { event.preventDefault(); field.focus(); field.select(); }
});

/* Arrow keys move between tabs; Enter follows the link, as for any link. */
function moveTab(event, tab) {
  const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const target = event.key === "Home" ? tabs[0] : event.key === "End" ? tabs.at(-1)
    : step && tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  if (event.key === " ") { event.preventDefault(); tab.click(); }
  if (!target) return;
  event.preventDefault();
  target.focus();
}

/* A select with data-submit sends its form at once; data-tick-all ticks the rows of its table. */
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-tick-all]"))
    for (const box of event.target.closest("table").querySelectorAll("tbody .tick input")) box.checked = event.target.checked;
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

/* A swap must not close what a person has opened, nor lose the place of the keyboard. */
let opened = [];
let focused = "";
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status >= 400) return;
  opened = [...document.querySelectorAll("details[id][open]:not(.menu)")].map((details) => details.id);
  focused = document.activeElement?.id || "";
});
document.addEventListener("htmx:afterSettle", () => {
  for (const id of opened) { const details = document.getElementById(id); if (details) details.open = true; }
  if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
  opened = [];
});

/* What renews itself says only what has changed: data-announce holds the sentence for the live region. */
let said = document.querySelector("[data-announce]")?.dataset.announce;
document.addEventListener("htmx:afterSettle", () => {
  const sentence = document.querySelector("[data-announce]")?.dataset.announce;
  if (sentence && sentence !== said) announce(sentence);
  said = sentence;
});

/* A failed swap says so and falls back to the whole page. */
document.addEventListener("htmx:responseError", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (requestConfig.verb === "get" && !requestConfig.elt.closest("[data-quiet]")) location.assign(xhr.responseURL);
});

/* Back twice in a row asks for two pages; only the last one may arrive. */
let restoring;
document.addEventListener("htmx:historyCacheMiss", (event) => {
  restoring?.abort();
  restoring = event.detail.xhr;
});
